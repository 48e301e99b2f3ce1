"""A letter with a link leaves only once the link works: whoever opens it at once finds it."""

from __future__ import annotations

import re
import smtplib
from email.message import EmailMessage
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine, NullPool, create_engine, text

from portal.core import clock, secrets
from portal.core.actor import NOBODY
from portal.core.db import db, keep, session
from portal.core.tasks import LEASE, Task
from portal.domain.identity import credentials
from portal.gateways import mail


class Watching:
    """A mail server that looks up, from a connection of its own, the link of each letter that comes."""

    def __init__(self, elsewhere: Engine) -> None:
        self.elsewhere, self.is_away = elsewhere, False
        self.links, self.found = list[str](), list[bool]()

    def send(self, message: EmailMessage) -> None:
        body = message.get_body(("plain",))
        assert body is not None
        (token,) = re.findall(r"/account/reset/(\S+)", body.get_content())
        self.links.append(token)
        with self.elsewhere.connect() as connection:
            asked = text("SELECT count(*) FROM one_time_tokens WHERE fingerprint = :mark AND used_at IS NULL")
            self.found.append(bool(connection.scalar(asked, {"mark": secrets.fingerprint(token)})))
        if self.is_away:
            raise smtplib.SMTPServerDisconnected("away")


@pytest.fixture
def server(committed: Flask, monkeypatch: pytest.MonkeyPatch) -> Watching:
    watching = Watching(create_engine(db.engine.url, poolclass=NullPool))
    monkeypatch.setattr(mail, "_transport", watching)
    return watching


def test_the_link_works_before_the_letter_arrives(server: Watching, amina: Any, drain: Any) -> None:
    credentials.forgot(NOBODY, amina.email)
    drain()
    assert server.found == [True]


def test_a_letter_that_is_sent_again_holds_the_same_link(server: Watching, amina: Any, drain: Any) -> None:
    server.is_away = True
    credentials.forgot(NOBODY, amina.email)
    drain()
    server.is_away = False
    session().execute(db.update(Task).where(Task.state == "waiting").values(due_at=clock.now()))
    keep()
    drain()
    assert server.found == [True, True]
    assert server.links[0] == server.links[1]


def test_no_task_tells_the_link(server: Watching, amina: Any, drain: Any) -> None:
    credentials.forgot(NOBODY, amina.email)
    drain()
    told = [str(args) for args in session().scalars(db.select(Task.args))]
    assert len(told) == 2 and not any(server.links[0] in args for args in told)


class Killed(BaseException):
    """What a process that is killed does not get to handle."""


def test_a_letter_whose_sender_was_killed_leaves_again_under_the_same_name(
    committed: Flask, monkeypatch: pytest.MonkeyPatch, amina: Any, drain: Any, standing_at: Any
) -> None:
    names, alive = list[str](), list[bool]()

    class Dying:
        def send(self, message: EmailMessage) -> None:
            names.append(str(message["Message-ID"]))
            if not alive:
                raise Killed

    monkeypatch.setattr(mail, "_transport", Dying())
    credentials.forgot(NOBODY, amina.email)
    with pytest.raises(Killed):
        drain()
    alive.append(True)
    drain()
    assert len(names) == 1, "leased to the one that died"
    with standing_at(clock.now() + LEASE):
        drain()
        drain()
    assert len(names) == 2 and names[0] == names[1]
