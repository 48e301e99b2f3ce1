"""For those who keep the portal running: who may ask, and what is said when a part is away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from portal import checkup
from portal.config import ROOT, ConfigError, Settings, load
from portal.core import live
from portal.core.db import keep, session
from portal.core.tasks import Task

TOKEN = "a token only monitors know"
SHOWN = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def watched(app: Any) -> Iterator[Settings]:
    """The portal with a METRICS_TOKEN."""
    before = app.extensions["portal.settings"]
    app.extensions["portal.settings"] = before.model_copy(update={"metrics_token": TOKEN})
    yield app.extensions["portal.settings"]
    app.extensions["portal.settings"] = before


def test_everybody_may_ask_whether_the_process_answers(client: Any, statements: Any) -> None:
    with statements() as count:
        answer = client.get("/health")
    assert (answer.status_code, answer.json, count()) == (200, {"status": "ok"}, 0)
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks whether the portal is ready is not told what it was a second ago."""
    monkeypatch.setattr(checkup, "ASKED_EVERY", 0.0)


def test_everybody_may_ask_whether_requests_may_be_sent_here(client: Any, at_once: None) -> None:
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_is_asked_of_the_database_once_a_second_however_often_somebody_asks(client: Any, statements: Any) -> None:
    client.get("/health/ready")
    with statements() as count:
        for _ in range(5):
            assert client.get("/health/ready").status_code == 200
    assert count() <= 2


@pytest.mark.parametrize(
    ("known", "heads", "status"),
    [
        ({"1", "2", "HERE"}, {"HERE"}, 200),
        ({"1", "2", "HERE", "next"}, {"next"}, 503),
        ({"1", "2"}, {"2"}, 200),
    ],
    ids=["of this version", "of an older version", "of a newer version"],
)
def test_it_is_ready_with_its_tables_and_with_those_of_a_newer_version(
    client: Any,
    database: Any,
    at_once: None,
    monkeypatch: pytest.MonkeyPatch,
    known: set[str],
    heads: set[str],
    status: int,
) -> None:
    here = session().scalar(text("SELECT version_num FROM alembic_version"))
    told = [frozenset(here if one == "HERE" else one for one in group) for group in (heads, known)]
    monkeypatch.setattr(checkup, "_versions", lambda: told)
    assert client.get("/health/ready").status_code == status


def test_a_database_that_is_away_is_told_to_strangers_in_two_words(
    client: Any, at_once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise OperationalError("SELECT", {}, Exception("connection to server at 10.0.0.5 failed"))

    monkeypatch.setattr(checkup, "session", away)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json, answer.headers["Retry-After"]) == (503, {"status": "not ready"}, "5")


@pytest.mark.parametrize("path", ["/health/detailed", "/metrics"])
@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}, {"Authorization": "Basic x"}]
)
def test_strangers_do_not_find_the_rest(client: Any, watched: Settings, path: str, headers: dict[str, str]) -> None:
    assert client.get(path, headers=headers).status_code == 404


@pytest.mark.parametrize("path", ["/health/detailed", "/metrics"])
def test_an_empty_token_opens_nothing(client: Any, path: str) -> None:
    assert client.get(path, headers={"Authorization": "Bearer "}).status_code == 404


def test_a_superadmin_sees_the_health_and_nobody_else_with_a_session(
    client: Any, superadmin: Any, admin: Any, amina: Any
) -> None:
    for person in (admin, amina):
        assert client.sign_in(person).get("/health/detailed").status_code == 404
    assert client.sign_in(superadmin).get("/health/detailed").status_code in {200, 503}


def test_the_parts_are_named_and_a_missing_worker_degrades(client: Any, watched: Settings) -> None:
    answer = client.get("/health/detailed", headers=SHOWN)
    assert {"database", "extensions", "migrations", "clock", "tasks", "redis", "worker"} == set(answer.json["parts"])
    assert answer.json["parts"]["migrations"] == "ok"
    assert answer.json["parts"]["worker"] == "none seen"
    assert (answer.status_code, answer.json["status"]) == (503, "degraded")


def test_the_age_of_the_oldest_waiting_task_is_told(client: Any, watched: Settings) -> None:
    from datetime import timedelta

    from portal.core import clock

    late = clock.now() - timedelta(minutes=10)
    session().add(Task(name="upkeep.seal_events", due_at=late))
    keep()
    found = client.get("/health/detailed", headers=SHOWN).json
    assert (found["due_tasks"], found["failed_tasks"]) == (1, 0)
    assert 599 < found["oldest_waiting_seconds"] < 660
    assert "the oldest waits for" in found["parts"]["tasks"]


def test_redis_away_is_said_and_not_raised(client: Any, watched: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def away() -> None:
        raise live.Away("no redis here")

    monkeypatch.setattr(live, "client", away)
    answer = client.get("/health/detailed", headers=SHOWN)
    assert (answer.status_code, answer.json["parts"]["redis"]) == (503, "no redis here")


def test_the_figures_count_requests_tasks_and_visits(client: Any, watched: Settings) -> None:
    session().add(Task(name="upkeep.seal_events", state="failed"))
    keep()
    client.get("/health")
    text = client.get("/metrics", headers=SHOWN).text
    assert 'portal_requests_total{endpoint="ops.health",method="GET",status="200"}' in text
    assert 'portal_request_seconds_bucket{endpoint="ops.health"' in text
    assert 'portal_tasks{state="failed"} 1.0' in text
    for name in ("portal_appointments", "portal_workers", "portal_oldest_waiting_task_seconds"):
        assert f"# TYPE {name} gauge" in text


def test_an_installation_that_is_whole_has_nothing_to_do(watched: Settings, database: Any) -> None:
    found = {finding.what: finding for finding in checkup.examine(watched)}
    assert [name for name, finding in found.items() if not finding.ok] == ["worker"]
    assert "flask --app wsgi portal worker" in found["worker"].do
    assert found["database"].said.startswith("PostgreSQL ")


def test_a_server_whose_log_would_hold_what_was_entered_is_named(
    watched: Settings, database: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkup, "QUIET_LOG", {"log_min_error_statement": "log", "log_statement": "none"})
    found = {finding.what: finding for finding in checkup.examine(watched)}["server log"]
    assert not found.ok and found.do == "Set in PostgreSQL: log_min_error_statement = log"


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        ({"secret_key": "a" * 40}, "secret key"),
        ({"secret_key": "long and varied, but with a comma: 0123456789"}, "secret key"),
        ({"base_url": "http://portal.example", "portal_mode": "production"}, "address"),
        ({"mail_url": "smtp://127.0.0.1:9"}, "mail"),
        ({"portal_data": "/dev/null"}, "data"),
        ({"live_connections": 10**9}, "open files"),
    ],
)
def test_what_is_wrong_is_named_with_what_to_do(
    watched: Settings, database: Any, wrong: dict[str, Any], what: str
) -> None:
    from pathlib import Path

    said = {name: Path(value) if name == "portal_data" else value for name, value in wrong.items()}
    found = {finding.what: finding for finding in checkup.examine(watched.model_copy(update=said))}
    assert not found[what].ok
    assert found[what].do


def test_the_streams_of_a_process_are_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    from runpy import run_path

    shipped = "deploy/gunicorn.py"
    monkeypatch.chdir(ROOT)
    monkeypatch.delenv("LIVE_CONNECTIONS", raising=False)
    assert run_path(shipped)["worker_connections"] == Settings.model_fields["live_connections"].default
    monkeypatch.setenv("LIVE_CONNECTIONS", "1234")
    assert run_path(shipped)["worker_connections"] == 1234


def test_production_has_no_provider_of_video_visits_unless_it_names_one(watched: Settings, database: Any) -> None:
    production = watched.model_copy(update={"portal_mode": "production"})
    found = {finding.what: finding for finding in checkup.examine(production)}
    assert (production.video_address, found["video"].ok) == ("", True)
    assert "have no link" in found["video"].said
    assert watched.video_address.startswith("https://")


@pytest.mark.parametrize("url", ["http://video.example/{room}", "https://video.example/", "meet"])
def test_a_provider_of_video_visits_has_rooms_and_https(url: str) -> None:
    with pytest.raises(ConfigError, match="VIDEO_URL"):
        load(video_url=url, database_url="postgresql://x", redis_url="redis://x", secret_key="x" * 32)
