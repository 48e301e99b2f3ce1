// Fills static/vendor from node_modules: scripts, the calendar, plots, icons, and Tabler's style sheet without the rules no
// page uses.
//   node deploy/vendor.mjs         everything (npm runs it after an installation)
//   node deploy/vendor.mjs --css   the style sheets alone, when a template has changed
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { PurgeCSS } from "purgecss";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const from = (...path) => join(root, "node_modules", ...path);
const vendor = (...path) => join(root, "static", "vendor", ...path);

// What pages are written from. A class that is put together from parts ("bg-" ~ tone) is not found in them:
// its pattern belongs into `safe`.
const sources = ["templates/**/*.html", "portal/**/*.py", "static/js/*.js"].map((glob) => join(root, glob));
const tones = "primary|secondary|success|info|warning|danger|light|dark|muted|blue|azure|indigo|purple|pink|red|orange|yellow|lime|green|teal|cyan";
const safe = {
  // states that scripts set, and both directions and themes
  standard: [
    /^(show|showing|hiding|fade|active|disabled|collapse|collapsing|collapsed|open|in)$/, /^(is|was)-/, /^modal/, /^offcanvas/, /^toast/,
    /^htmx-/, /^dropdown-menu/, /^navbar-collapse$/,
    new RegExp(`^(badge|text|bg|alert|btn|btn-outline|status|avatar-status|progress)-(${tones})(-lt|-fg)?$`),
  ],
  deep: [],
  greedy: [/data-bs-theme/, /\[dir/],
};
const words = (text) => text.match(/[\w./:%-]+/g)?.flatMap((word) => [word, ...word.split(/[./:%]/)]) ?? [];

function write(name, content) {
  writeFileSync(vendor(name), content);
  if (!/\.(css|js)$/.test(name)) return;
  const bytes = Buffer.from(content);
  const zipped = gzipSync(bytes, { level: 9 });
  const brotli = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } });
  writeFileSync(vendor(`${name}.gz`), zipped);
  writeFileSync(vendor(`${name}.br`), brotli);
  console.log(`static/vendor/${name}: ${bytes.length} bytes, ${zipped.length} by gzip, ${brotli.length} by brotli`);
}

function scripts() {
  const trim = (text) => text.replace(/^\/\/# sourceMappingURL=.*$/gm, "");
  write("htmx.min.js", readFileSync(from("htmx.org", "dist", "htmx.min.js")));
  write("sse.js", trim(readFileSync(from("htmx-ext-sse", "dist", "sse.min.js"), "utf8")));
  write("tabler.min.js", trim(readFileSync(from("@tabler", "core", "dist", "js", "tabler.min.js"), "utf8")));
  for (const kind of ["js", "css"]) {
    write(`event-calendar.${kind}`, trim(readFileSync(from("@event-calendar", "build", "dist", `event-calendar.min.${kind}`), "utf8")));
  }
  write("swagger-ui.js", trim(readFileSync(from("swagger-ui-dist", "swagger-ui-bundle.js"), "utf8")));
  write("swagger-ui.css", trim(readFileSync(from("swagger-ui-dist", "swagger-ui.css"), "utf8")));
  write("chart.js", trim(readFileSync(from("chart.js", "dist", "chart.umd.min.js"), "utf8")));
}

function icons() {
  for (const kind of ["outline", "filled"]) {
    const target = vendor("icons", kind);
    rmSync(target, { recursive: true, force: true });
    mkdirSync(target, { recursive: true });
    for (const name of readdirSync(from("@tabler", "icons", "icons", kind))) {
      if (!name.endsWith(".svg")) continue;
      const source = from("@tabler", "icons", "icons", kind, name);
      try {
        linkSync(source, join(target, name)); // six thousand small files: no second copy where none is needed
      } catch {
        copyFileSync(source, join(target, name));
      }
    }
  }
  copyFileSync(from("@tabler", "icons", "LICENSE"), vendor("icons", "LICENSE"));
}

async function styles() {
  for (const [source, target] of [["tabler.min.css", "tabler.css"], ["tabler.rtl.min.css", "tabler.rtl.css"]]) {
    const raw = readFileSync(from("@tabler", "core", "dist", "css", source), "utf8").replace(/\/\*# sourceMappingURL=.*?\*\//g, "");
    const [purged] = await new PurgeCSS().purge({
      content: sources, css: [{ raw, name: source }], safelist: safe, defaultExtractor: words, keyframes: true,
    });
    write(target, purged.css);
  }
}

if (!existsSync(from("@tabler", "core"))) {
  console.error("node_modules is missing: run npm ci.");
  process.exit(1);
}
mkdirSync(vendor(), { recursive: true });
if (!process.argv.includes("--css")) {
  scripts();
  icons();
}
await styles();
