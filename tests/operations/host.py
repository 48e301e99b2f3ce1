"""A host for the documented commands: a temporary root, free ports, and stand-ins for what only a real host may do.

`systemctl` starts a unit's own ExecStart in its own environment, `sudo` changes nobody but knows the database's
superuser, `git clone` copies what a clone of this checkout would hold, `nginx` is Debian's with its own configuration.
"""

from __future__ import annotations

import http.client
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import psycopg2

from portal import embedded
from tests.processes import free_port
from tests.rules.source import ROOT

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
WHOLE = os.environ.get("PATHS") == "whole"
FOLDERS = re.compile(r"(?<![\w/.])/(?=(?:srv/portal|etc/portal|etc/systemd/system|etc/nginx|var/lib|var/backups)\b)")
STAND_INS = ("apt-get", "useradd", "install", "sudo", "git", "systemctl", "nginx", "curl")
INSTALLED = ("python3", "npm")  # stand-ins where the packages of this checkout are used
FOR_INSTALLERS = re.compile(r"^(PIP|npm|SSL|NODE)_|_proxy$", re.I)


def missing() -> str:
    """What the path needs and this machine lacks; empty when it has all."""
    return "" if POSTGRES and NGINX else "nginx" if POSTGRES else "PostgreSQL"


@dataclass
class Host:
    """Its root, and what the stand-ins are told."""

    root: Path
    told: dict[str, str]

    def type(self, blocks: list[str]) -> str:
        """Run shell blocks in one shell that stops at the first failure; returns what was said. Variables are kept."""
        given = self.root / "typed"
        kept = f'. "{given}"\n' if given.exists() else ""
        numbered = "".join(f"echo '== block {number}'\n{block}" for number, block in enumerate(blocks, 1))
        script = f"set -euo pipefail\n{kept}{self._here(numbered)}\ndeclare -p SOURCE NAME MAIL ADMIN > {given}\n"
        done = subprocess.run(
            ["bash", "-s"], input=script, cwd=self.root / "srv/portal" if kept else self.root, env=self.told,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=900,
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout[-3000:]}\n{self.logs()[-3000:]}"
        return done.stdout

    def logs(self) -> str:
        """What the processes said."""
        return "".join(f"--- {path.name}\n{path.read_text()}" for path in sorted((self.root / "run").glob("*.log")))

    def signs_in(self, address: str, email: str, password: str) -> bool:
        """Whether somebody signs in through the proxy and is led on."""
        where = urlsplit(address)
        form, cookie = self._ask("GET", where.hostname or "", where.path)
        token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', form)
        assert token, form[:2000]
        given = {"csrf_token": token[1], "email": email, "password": password}
        said, led_to = self._ask("POST", where.hostname or "", where.path, urlencode(given), cookie)
        assert led_to.startswith("/") or "second" in said, said[:2000]
        return True

    def _ask(self, method: str, name: str, path: str, body: str | None = None, cookie: str = "") -> tuple[str, str]:
        """The page and the cookie it set, or where it leads."""
        trusting = ssl._create_unverified_context()
        proxy = "127.0.0.1", int(self.told["TLS_PORT"])
        connection = http.client.HTTPSConnection(*proxy, timeout=30, context=trusting)
        connection.sock = trusting.wrap_socket(socket.create_connection(proxy, 30), server_hostname=name)
        headers = {"Host": name, "Cookie": cookie, "Referer": f"https://{name}{path}", "Origin": f"https://{name}"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        page = answer.read().decode()
        connection.close()
        set_to = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        return page, (answer.getheader("Location") or "") if method == "POST" else set_to

    def _here(self, script: str) -> str:
        """The commands with this host's folders, database, Redis and mail server."""
        changes = {
            r"^MAIL=.*$": f"MAIL={self.told['MAIL_SERVER']}",
            r"@localhost/portal\b": f"@/portal?host={self.told['PGHOST']}",
            r"redis://localhost:6379/0": self.told["REDIS"],
        }
        for pattern, ours in changes.items():
            script = re.sub(pattern, ours.replace("\\", "\\\\"), script, flags=re.M)
        return FOLDERS.sub(f"{self.root}/", script)


@contextmanager
def standing(root: Path, mail: str) -> Iterator[Host]:
    """An empty host until the block ends; everything it started ends with it."""
    for name in ("bin", "run", "srv", "etc/systemd/system", "var/lib", "var/backups", "var/log/nginx"):
        (root / name).mkdir(parents=True)
    shutil.copytree("/etc/nginx", root / "etc/nginx", symlinks=False, ignore=shutil.ignore_patterns("modules-enabled"))
    for name in (*STAND_INS, *(() if WHOLE else INSTALLED)):
        (root / "bin" / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" {name} "$@"\n')
        (root / "bin" / name).chmod(0o755)
    with embedded.start(root / "engines", fast=True, programs=POSTGRES[-1]) as engines:
        _as_new(engines.admin_url)
        told = {
            "PATH": f"{root / 'bin'}:{POSTGRES[-1]}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
            "PYTHONPATH": str(ROOT), "HOME": str(root), "LANG": "C.UTF-8", "HOST_ROOT": str(root), "MAIL_SERVER": mail,
            "PGHOST": engines.admin_url.partition("host=")[2], "REDIS": engines.redis_url,
            **{name: str(free_port()) for name in ("PLAIN_PORT", "TLS_PORT", "WEB_PORT", "LIVE_PORT")},
            **{name: value for name, value in os.environ.items() if FOR_INSTALLERS.search(name)},
        }  # fmt: skip
        try:
            yield Host(root, told)
        finally:
            for pid in (root / "run").glob("*.pid"):
                _end(pid)


def _as_new(admin_url: str) -> None:
    """A server as Debian makes it: none of the portal's roles, databases and extensions."""
    for database, statements in {
        "postgres": ("DROP DATABASE portal", "DROP ROLE portal", "DROP ROLE portal_app"),
        "template1": tuple(f"DROP EXTENSION {name}" for name in reversed(embedded.EXTENSIONS)),
    }.items():
        connection = psycopg2.connect(admin_url.replace("/postgres?", f"/{database}?"))
        connection.autocommit = True
        for statement in statements:
            connection.cursor().execute(statement)
        connection.close()


# --- stand-ins: this file is run as each of the programs ---


def main(program: str, words: list[str]) -> int:
    root = Path(os.environ["HOST_ROOT"])
    return {
        "apt-get": lambda: 0,
        "useradd": lambda: 0,
        "install": lambda: subprocess.call(["/usr/bin/install", *_without_owner(words)]),
        "sudo": lambda: _sudo(words),
        "git": lambda: _clone(Path(words[-1])),
        "systemctl": lambda: _systemctl(root, words),
        "nginx": lambda: _nginx(root, *words),
        "curl": lambda: _curl(words),
        "python3": lambda: _link(root / "srv/portal/.venv", ROOT / ".venv"),
        "npm": lambda: _pages(root / "srv/portal", words),
    }[program]()


def _without_owner(words: list[str]) -> list[str]:
    return [word for word, before in zip(words, ["", *words], strict=False) if not {word, before} & {"-o", "-g"}]


def _sudo(words: list[str]) -> int:
    """`sudo -u NAME [VARIABLE=value …] command …`: as ourselves, and as the database's superuser for postgres."""
    assert words[0] == "-u" and words[1] in {"postgres", "portal"}, words
    told = {**os.environ, **({"PGUSER": "postgres"} if words[1] == "postgres" else {})}
    rest = words[2:]
    while "=" in rest[0]:
        name, _, value = rest.pop(0).partition("=")
        told[name] = value
    return subprocess.call(rest, env=told)


def _clone(target: Path) -> int:
    """What a clone would hold: the files that are kept, as they are now."""
    kept = subprocess.check_output(["/usr/bin/git", "ls-files", "-z", "-co", "--exclude-standard"], cwd=ROOT)
    for name in filter(None, kept.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return 0


def _link(here: Path, there: Path) -> int:
    here.symlink_to(there.resolve())
    return 0


def _pages(portal: Path, words: list[str]) -> int:
    if words[0] == "ci":
        _link(portal / "node_modules", ROOT / "node_modules")
        shutil.copytree(ROOT / "static/vendor", portal / "static/vendor", dirs_exist_ok=True)
    return 0


def _curl(words: list[str]) -> int:
    ours = ["--connect-to", f"::127.0.0.1:{os.environ['TLS_PORT']}"]
    return subprocess.call(["/usr/bin/curl", *ours, *words])


def _systemctl(root: Path, words: list[str]) -> int:
    verb, names = words[0], [word for word in words[1:] if not word.startswith("--")]
    for name in names:
        if name in {"postgresql", "redis-server"} or verb == "daemon-reload":
            continue
        if name == "nginx":
            if _nginx(root, "-t" if verb == "enable" else "start"):
                return 1
        elif verb == "stop":
            for unit in _units(root, name):
                _end(root / f"run/{unit.stem}.pid")
        elif {True} != {_start(root, unit) for unit in _units(root, name)}:
            return 1
    return 0


def _units(root: Path, name: str) -> list[Path]:
    """The units of a target, or the one of this name."""
    folder = root / "etc/systemd/system"
    if name.endswith(".target"):
        wants = re.search(r"^Wants=(.*)$", (folder / name).read_text(), re.M)
        assert wants
        return [folder / one for one in wants[1].split()]
    return [folder / f"{name}.service"]


def _start(root: Path, unit: Path) -> bool:
    """Whether it runs, or for a oneshot, whether it succeeded. Ports are this host's own."""
    says = FOLDERS.sub(f"{root}/", unit.read_text())
    lines = [line.partition("=")[::2] for line in says.splitlines() if "=" in line and not line.startswith("#")]
    told = {
        "PATH": "/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "PORT": os.environ["WEB_PORT"],
        "LIVE_PORT": os.environ["LIVE_PORT"],
    }
    for name, value in lines:
        if name == "Environment":
            told |= _pairs(value)
        elif name == "EnvironmentFile":
            told |= _pairs(Path(value).read_text())
        elif name == "StateDirectory":
            (root / "var/lib" / value).mkdir(mode=0o700, exist_ok=True)
    about = dict(lines)
    with (root / f"run/{unit.stem}.log").open("ab") as log:
        process = subprocess.Popen(
            about["ExecStart"].split(), cwd=about["WorkingDirectory"], env=told, stdin=subprocess.DEVNULL, stdout=log,
            stderr=log, start_new_session=True,
        )  # fmt: skip
    if about.get("Type") == "oneshot":
        return process.wait() == 0
    (root / f"run/{unit.stem}.pid").write_text(str(process.pid))
    port = {"portal-web": "WEB_PORT", "portal-live": "LIVE_PORT"}.get(unit.stem)
    return _listens(int(os.environ[port])) if port else True


def _pairs(lines: str) -> dict[str, str]:
    return {name: value for name, sign, value in (line.partition("=") for line in lines.splitlines()) if sign}


def _nginx(root: Path, what: str) -> int:
    """Debian's nginx with the configuration that stands in /etc/nginx: `-t` tries it, anything else starts it."""
    folder = root / "run/nginx"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(root / "etc/nginx", folder)
    changes = {
        r"^\s*listen \[::\]:.*$": "",
        r"\blisten 80\b": f"listen 127.0.0.1:{os.environ['PLAIN_PORT']}",
        r"\blisten 443\b": f"listen 127.0.0.1:{os.environ['TLS_PORT']}",
        r"127\.0\.0\.1:8000\b": f"127.0.0.1:{os.environ['WEB_PORT']}",
        r"127\.0\.0\.1:8001\b": f"127.0.0.1:{os.environ['LIVE_PORT']}",
        r"^user .*;$": "user root;" if os.geteuid() == 0 else "",
        r"/run/nginx\.pid": f"{root}/run/nginx.pid",
        r"/var/log/nginx": f"{root}/var/log/nginx",
        r"/usr/share/nginx/modules-available": "/nonexistent",
        r"(?<![\w/.])/etc/nginx/": f"{folder}/",
        rf"{re.escape(str(root))}/etc/nginx/": f"{folder}/",
    }
    for path in [folder / "nginx.conf", *folder.glob("conf.d/*"), *folder.glob("sites-enabled/*")]:
        says = path.read_text()
        for pattern, ours in changes.items():
            says = re.sub(pattern, ours, says, flags=re.M)
        path.write_text(says)
    command = ["/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-e", str(root / "run/nginx.log")]
    if what == "-t":
        return subprocess.call([*command, "-t"])
    return subprocess.call(command) or not _listens(int(os.environ["TLS_PORT"]))


def _listens(port: int) -> bool:
    for _ in range(300):
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return True
        time.sleep(0.1)
    return False


def _end(pid: Path) -> None:
    """End the process whose number stands there, and wait for it."""
    if not pid.exists():
        return
    number = int(pid.read_text())
    pid.unlink()
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(number)
        process.terminate()
        until = time.monotonic() + 20
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # nobody may be there to wait for it
            if time.monotonic() > until:
                process.kill()
            time.sleep(0.05)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
