"""What a process says when its settings are wrong, whichever process it is; one file of settings for all of them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from dotenv import dotenv_values
from sqlalchemy.engine import make_url

from portal import __main__ as starting
from portal import config, demo, run_all
from portal.config import EXIT, ROOT, ConfigError, Settings, load
from tests.engines import Ground, environment
from tests.processes import free_port

WHOLE = {
    "DATABASE_URL": "postgresql://portal@127.0.0.1:9/portal",
    "REDIS_URL": "redis://127.0.0.1:9/0",
    "SECRET_KEY": "x" * 40,
    "BASE_URL": "https://portal.example.org",
    "MAIL_URL": "smtp://mail.example.org",
    "PORTAL_ENV_FILE": "",
}


WHOLE_FIELDS: dict[str, Any] = {name.lower(): value for name, value in WHOLE.items() if name != "PORTAL_ENV_FILE"}


def run(*words: str, **told: str) -> subprocess.CompletedProcess[str]:
    """A process that is told these settings and nothing else."""
    alone = {"PATH": os.environ["PATH"], "FLASK_SKIP_DOTENV": "1", "PORTAL_ENV_FILE": "", **told}
    return subprocess.run([sys.executable, *words], cwd=ROOT, env=alone, capture_output=True, text=True, timeout=60)


@pytest.mark.drill("Settings")
@pytest.mark.parametrize(
    "words",
    [*(("-m", "portal", name) for name in [*starting.COMMANDS, "release"]), ("-m", "flask", "--app", "wsgi", "routes")],
    ids=" ".join,
)
def test_every_process_names_all_that_is_wrong_in_one_message_and_ends_with_78(words: tuple[str, ...]) -> None:
    said = run(*words, SMS_URL="ftp://nowhere", TRUSTED_PROXIES="many", BASE_URL="http://portal.example.org")
    assert said.returncode == EXIT
    first, *lines = said.stderr.strip().splitlines()
    assert first == "The portal cannot start. Set these in the environment (.env.example says more):"
    assert [line.split()[0] for line in lines] == [
        "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "BASE_URL", "MAIL_URL", "SMS_URL", "TRUSTED_PROXIES",
    ]  # fmt: skip


def test_a_word_that_is_no_process_is_answered_with_those_there_are() -> None:
    said = run("-m", "portal", "webb")
    assert said.returncode == 64 and "worker    what can wait" in said.stderr


@pytest.mark.drill("Settings")
def test_a_second_web_on_a_port_that_is_taken_says_so() -> None:
    import socket

    port = free_port()
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as Granian does
        first.bind(("0.0.0.0", port))
        first.listen()
        said = run("-m", "portal", "web", **WHOLE, PORT=str(port))
    assert said.returncode == 69
    assert said.stderr == f"web cannot listen on 0.0.0.0 port {port}: address already in use.\n"


@pytest.mark.parametrize(
    ("given", "for_sqlalchemy"),
    [
        ("postgresql://u:p@h/db", "postgresql+psycopg2://u:p@h/db"),
        ("postgresql://u:p@/db?host=/run/postgresql", "postgresql+psycopg2://u:p@/db?host=/run/postgresql"),
        ("postgresql+psycopg2://u@h:1/db", "postgresql+psycopg2://u@h:1/db"),
        (
            "postgresql://u:p%40@h1:5432,h2:5433/db?target_session_attrs=read-write",
            "postgresql+psycopg2://u:p%40@/db?host=h1:5432&host=h2:5433&target_session_attrs=read-write",
        ),
        ("postgres://u:p@h1,h2:6000/db", "postgresql+psycopg2://u:p@/db?host=h1:5432&host=h2:6000"),
    ],
)
def test_an_address_of_the_database_is_read_as_its_own_programs_read_it(given: str, for_sqlalchemy: str) -> None:
    assert load(**WHOLE_FIELDS | {"database_url": given}).sqlalchemy_url == for_sqlalchemy
    make_url(for_sqlalchemy)


@pytest.mark.parametrize("given", ["mysql://h/db", "postgresql://u:p@h:port/db", "postgresql://u:p@h1:1,h2:x/db"])
def test_an_address_of_the_database_that_nothing_can_read_is_named_at_start(given: str) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL must be"):
        load(**WHOLE_FIELDS | {"database_url": given})


def test_each_web_counts_in_a_folder_of_its_own_that_begins_empty(tmp_path: Path) -> None:
    settings = load(**WHOLE_FIELDS | {"portal_data": tmp_path})
    first = Path(starting._counts(settings))
    (first / "counter_1.db").write_text("of a process that ended")
    other = Path(starting._counts(settings.model_copy(update={"port": 8010})))
    assert Path(starting._counts(settings)) == first and list(first.iterdir()) == []
    assert other != first and other.is_dir()


def test_a_web_that_can_keep_its_counts_nowhere_starts_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "metrics").write_text("a file")
    assert starting._counts(load(**WHOLE_FIELDS | {"portal_data": tmp_path})) == ""
    assert capsys.readouterr().err.startswith("/metrics tells of one process a time: ")


def test_whoever_waits_for_a_web_that_does_not_come_is_told_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(starting, "READY_WITHIN", 0.3)
    port = free_port()
    assert starting._ready("web", "0.0.0.0", port) == 75
    said = f"web is not ready at http://127.0.0.1:{port}/health/ready after 0 seconds: connection refused.\n"
    assert capsys.readouterr().err == said


def test_what_the_image_and_compose_stand_on_is_named_to_the_last_number() -> None:
    files = [ROOT / "deploy/Dockerfile", ROOT / "deploy/compose.yaml"]
    named = [found for file in files for found in re.findall(r"^ *(?:FROM|image:) +(\S+)", file.read_text(), re.M)]
    assert [one for one in named if one != "portal" and not re.search(r":\d+\.\d+(\.\d+)?(-|$|@)", one)] == []
    assert len(named) == 7


def test_every_service_of_compose_has_an_end_to_what_it_may_take() -> None:
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    limits = {name: told.get("deploy", {}).get("resources", {}).get("limits", {}) for name, told in services.items()}
    assert {name for name, told in limits.items() if not {"memory", "pids"} <= told.keys()} == set()


def test_the_environment_wins_over_the_file_and_the_file_over_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "portal.env"
    file.write_text('PORTAL_NAME="Clinique du Port"\nHOLD_MINUTES=7\nSMS_FROM=a$b\nEMPTY=\n')
    for name in ("PORTAL_NAME", "HOLD_MINUTES", "SMS_FROM", "EMPTY"):
        monkeypatch.setenv(name, "")  # put back afterwards
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOLD_MINUTES", "9")
    monkeypatch.setenv("PORTAL_ENV_FILE", str(file))
    for name, value in WHOLE.items():
        if name != "PORTAL_ENV_FILE":
            monkeypatch.setenv(name, value)
    read = load()
    assert (read.portal_name, read.hold_minutes, read.sms_from) == ("Clinique du Port", 9, "a$b")


@pytest.mark.parametrize("content", [None, b"PORTAL_NAME=caf\xe9\n"], ids=["missing", "not UTF-8"])
def test_a_file_of_settings_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None
) -> None:
    file = tmp_path / "portal.env"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("PORTAL_ENV_FILE", str(file))
    with pytest.raises(ConfigError, match=r"portal\.env"):
        config.read_env_file()


def test_the_example_names_every_setting_and_reads_the_same_in_a_shell() -> None:
    example = ROOT / ".env.example"
    values = dotenv_values(example, interpolate=False)
    assert set(values) == {name.upper() for name in Settings.model_fields}
    script = f"set -eu -a; . {example}; env -0"
    shell = subprocess.run(["sh", "-c", script], env={}, capture_output=True, text=True, check=True).stdout
    found = dict(line.split("=", 1) for line in shell.split("\0") if "=" in line)
    assert {name: found[name] for name in values} == values


@pytest.mark.drill("Settings")
def test_a_command_that_cannot_be_done_ends_with_one_sentence(ground: Ground, tmp_path: Path) -> None:
    database = f"{Path(tmp_path).name[:20]}_short"
    ground.clone(database)
    try:
        told = environment(ground, database, 15, PORTAL_DATA=str(tmp_path), PASSWORD_MIN_LENGTH="12")
        words = [sys.executable, "-m", "flask", "--app", "wsgi", "portal", "seed-demo"]
        said = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True)
        assert said.returncode == 1
        assert said.stderr.strip().splitlines()[-1] == (
            f"Error: The demo's password has {len(demo.PASSWORD)} characters and PASSWORD_MIN_LENGTH asks for 12:"
            f" set it to {len(demo.PASSWORD)} or less."
        )
        told |= {"PASSWORD_MIN_LENGTH": "8", "DATABASE_URL": "postgresql://portal@127.0.0.1:9/portal"}
        said = subprocess.run(words, cwd=ROOT, env=told, capture_output=True, text=True)
        assert "Traceback" not in said.stderr and "Error: The database does not answer" in said.stderr
    finally:
        ground.drop(database)


@pytest.mark.parametrize("unit", sorted((ROOT / "deploy/systemd").glob("*.service")), ids=lambda path: path.stem)
def test_each_unit_starts_a_process_that_there_is_and_is_not_restarted_for_a_wrong_setting(unit: Path) -> None:
    lines = dict(line.split("=", 1) for line in unit.read_text().splitlines() if "=" in line and line[0] != "#")
    command = lines["ExecStart"].split()
    assert command[1:3] == ["-m", "portal"] and command[3] in {*starting.COMMANDS, "release"}
    assert lines.get("Type") == "oneshot" or lines["RestartPreventExitStatus"].split() == ["69", str(EXIT)]


@pytest.mark.drill("make run")
@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda place: place.write_text("a file"), "it is, or lies below, a file"),
        (lambda place: (place.parent / "portal").symlink_to("/proc/nowhere"), "cannot"),
    ],
    ids=["a file", "a place nobody can make"],
)
def test_a_folder_that_cannot_be_used_is_named_in_one_sentence(tmp_path: Path, make: Any, sentence: str) -> None:
    place = tmp_path / "portal"
    make(place)
    said = run("-m", "portal.run_all", PORTAL_DATA=str(place), PORT=str(free_port()))
    assert said.returncode == 1 and "Traceback" not in said.stderr
    assert sentence in said.stderr and "Set PORTAL_DATA" in said.stderr


@pytest.mark.drill("make run")
def test_a_full_disk_is_named_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_all.shutil, "disk_usage", lambda _: SimpleNamespace(free=5 * 2**20))
    with pytest.raises(run_all.CannotRun, match=r"Only 5 MiB are free .* 300 are needed"):
        run_all._refuse_an_unusable_folder(tmp_path / "portal")
