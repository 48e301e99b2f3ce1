"""A letter with a link leaves only once the link works: whoever opens it at once finds it."""

from __future__ import annotations

import re
import smtplib
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import create_engine, text

from portal.core import clock, secrets
from portal.core.actor import NOBODY
from portal.core.db import db, keep, session
from portal.core.tasks import Task
from portal.domain.identity import credentials
from portal.gateways import mail


class Watching:
    """A mail server that is away for the first letters and, for each that arrives, looks up the link it holds."""

    def __init__(self, away: int = 0) -> None:
        self.away, self.links, self.found = away, list[str](), list[bool]()
        self._apart = create_engine(db.engine.url)

    def send(self, message: EmailMessage) -> None:
        body = message.get_body(("plain",))
        assert body is not None
        (token,) = re.findall(r"/account/reset/(\S+)", body.get_content())
        self.links.append(token)
        with self._apart.connect() as elsewhere:
            asked = text("SELECT count(*) FROM one_time_tokens WHERE fingerprint = :mark AND used_at IS NULL")
            self.found.append(bool(elsewhere.scalar(asked, {"mark": secrets.fingerprint(token)})))
        if len(self.links) <= self.away:
            raise smtplib.SMTPServerDisconnected("away")


@pytest.fixture
def away() -> int:
    return 0


@pytest.fixture
def server(committed: Flask, away: int, monkeypatch: pytest.MonkeyPatch) -> Watching:
    watching = Watching(away)
    monkeypatch.setattr(mail, "_transport", watching)
    return watching


def test_the_link_works_before_the_letter_arrives(server: Watching, amina: Any, drain: Any) -> None:
    credentials.forgot(NOBODY, amina.email)
    drain()
    assert server.found == [True]


@pytest.mark.parametrize("away", [1])
def test_a_letter_that_is_sent_again_holds_the_same_link(server: Watching, amina: Any, drain: Any) -> None:
    credentials.forgot(NOBODY, amina.email)
    drain()
    session().query(Task).filter(Task.state == "waiting").update({"due_at": clock.now()})
    keep()
    drain()
    assert server.found == [True, True]
    assert server.links[0] == server.links[1]


def test_no_task_tells_the_link(server: Watching, amina: Any, drain: Any) -> None:
    credentials.forgot(NOBODY, amina.email)
    drain()
    told = [str(args) for args in session().scalars(db.select(Task.args))]
    assert len(told) == 2 and not any(server.links[0] in args for args in told)
