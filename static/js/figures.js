/* Plots drawn from the table below them, in the page's own colours; without it the table says the same. */
(() => {
  "use strict";
  if (!window.Chart) return;
  const { Chart } = window;
  const right = document.documentElement.dir === "rtl";
  const colours = getComputedStyle(document.documentElement);
  const drawn = [];

  /* light-dark() is resolved by the browser only where a colour is used */
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const colour = (name) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color || colours.getPropertyValue(name);
  };

  /* Two series differ by more than their colour: filled or hollow bars, plain or dashed lines, round or square points */
  const LOOKS = {
    bar: [{ tone: "--line-strong", fill: "--neutral-soft", dash: [], shape: "rect" }, { tone: "--accent", fill: "--accent", dash: [], shape: "rect" }],
    line: [{ tone: "--accent", fill: "--accent", dash: [], shape: "circle" }, { tone: "--info-ink", fill: "--info-ink", dash: [6, 4], shape: "rect" }],
  };

  const series = (table, column, look, kind) => {
    const tone = colour(look.tone);
    const values = [...table.tBodies[0].rows].map((row) => {
      const said = row.cells[column].dataset.value;
      return said === undefined ? null : Number(said);
    });
    return {
      label: table.tHead.rows[0].cells[column].textContent.trim(),
      data: values,
      borderColor: tone,
      backgroundColor: colour(look.fill),
      borderWidth: kind === "bar" ? 1 : 2,
      borderDash: look.dash,
      pointStyle: look.shape,
      pointRadius: values.length > 20 ? 2 : 4,
      spanGaps: true,
    };
  };

  const draw = (figure) => {
    const table = document.querySelector(`#${figure.dataset.table} table`);
    if (!table) return;
    const kind = figure.dataset.plot;
    const quiet = colour("--quiet");
    const columns = figure.dataset.columns.split(",").map(Number);
    const datasets = columns.map((column, at) => series(table, column, LOOKS[kind][at], kind));
    if (!datasets.some((one) => one.data.some((value) => value !== null))) return; // nothing to draw: the table says so
    figure.hidden = false;
    const axis = { grid: { color: colour("--line") }, ticks: { color: quiet, maxRotation: 0, autoSkipPadding: 16 } };
    drawn.push(new Chart(figure.querySelector("canvas"), {
      type: kind,
      data: { labels: [...table.tBodies[0].rows].map((row) => row.cells[0].textContent.trim()), datasets },
      options: {
        animation: false,
        maintainAspectRatio: false,
        locale: document.documentElement.lang,
        interaction: { mode: "index", intersect: false },
        scales: {
          x: { ...axis, reverse: right },
          y: { ...axis, beginAtZero: true, position: right ? "right" : "left", title: { display: true, text: figure.dataset.unit, color: quiet } },
        },
        plugins: {
          legend: { display: datasets.length > 1, rtl: right, labels: { color: colour("--ink"), usePointStyle: true } },
          tooltip: { rtl: right, textDirection: right ? "rtl" : "ltr" },
        },
      },
    }));
  };

  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  document.querySelectorAll("[data-plot]").forEach(draw);
  probe.remove();
  window.addEventListener("beforeprint", () => drawn.forEach((chart) => chart.resize()));
})();
