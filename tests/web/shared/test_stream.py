"""The stream of nudges that open pages listen to: what comes, and when it is over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from sqlalchemy import select, update
from werkzeug.test import Client

from portal.core import clock, live, open_streams
from portal.core.actor import SYSTEM
from portal.core.db import keep, session
from portal.domain.clinics import members
from portal.domain.clinics.models import Membership
from portal.domain.identity import accounts, sessions
from portal.domain.identity.models import UserSession

stream: Any = import_module("portal.web.shared.stream")  # its blueprint has the name
NEVER, OFTEN = (600.0, 600.0), (0.1, 0.2)
HELLO = "retry: 3000\n\n"


class Page:
    """A page that listens: what comes, block by block."""

    def __init__(self, app: Any, cookie: Any) -> None:
        client = Client(app)
        client.set_cookie("portal", cookie)
        with app.app_context():  # one of its own, as in real life
            self.answer = client.open("/live")
        assert (self.answer.status_code, self.answer.mimetype) == (200, "text/event-stream")
        self._came = iter(self.answer.response)
        assert self.next() == HELLO

    def next(self) -> str:
        """The next block; "" when the stream is over."""
        block = next(self._came, b"")
        return block.decode() if isinstance(block, bytes) else block

    def close(self) -> None:
        self.answer.close()


@pytest.fixture
def listen(committed: Any, new_client: Any) -> Iterator[Any]:
    """A function that opens the stream of a person's browser; all are closed at the end."""
    opened: list[Page] = []

    def begin(person: Any) -> Page:
        browser = new_client().sign_in(person)
        opened.append(Page(committed, browser.get_cookie("portal").value))
        return opened[-1]

    yield begin
    for one in opened:
        one.close()


def until_over(page: Page, within: float = 20) -> list[str]:
    """Everything that comes until the stream ends."""
    until, blocks = time.monotonic() + within, []
    while block := page.next():
        blocks.append(block)
        assert time.monotonic() < until, "it goes on"
    return blocks


def test_topics_come_as_messages_and_quiet_is_said_to_be_well(listen: Any, amina: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT", 0.2)
    page = listen(amina)
    assert page.next() == ": still here\n\n"
    live.nudge([amina.user_id], "notifications")
    keep()
    while (block := page.next()).startswith(":"):
        pass
    assert block == "data: notifications\n\n"


def signs_out(person: Any, admin: Any) -> None:
    [held] = sessions.mine(person.actor)
    sessions.end(person.actor, held.id)


def is_deactivated(person: Any, admin: Any) -> None:
    accounts.deactivate(SYSTEM, person.user_id)


def changes_the_password(person: Any, admin: Any) -> None:
    accounts.sign_out_everywhere(person.actor)


def loses_the_role(person: Any, admin: Any) -> None:
    held = session().scalars(select(Membership.id).where(Membership.user_id == person.user_id)).one()
    members.end(admin.actor, held)


@pytest.mark.parametrize(
    ("what_happens", "last_words"),
    [
        (signs_out, stream.OVER),
        (is_deactivated, stream.OVER),
        (changes_the_password, stream.OVER),
        (loses_the_role, stream.AGAIN),
    ],
    ids=["signed out", "deactivated", "new password", "role lost"],
)
def test_it_ends_at_once_with_its_session_and_with_a_role(
    listen: Any, nadia: Any, admin: Any, monkeypatch: Any, what_happens: Any, last_words: str
) -> None:
    monkeypatch.setattr(stream, "LOOKS_EVERY", NEVER)
    page = listen(nadia)
    what_happens(nadia, admin)
    keep()
    assert until_over(page) == [last_words]


@pytest.fixture
def ending(committed: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that has this process end, as far as streams know; the next test's goes on."""
    monkeypatch.setattr(live._board, "_closing", False)
    return live.close


def test_a_process_that_ends_says_goodbye_so_that_the_page_connects_again(listen: Any, nadia: Any, ending: Any) -> None:
    page = listen(nadia)
    ending()
    assert until_over(page) == ["event: bye\ndata: again\n\n"]


def test_it_looks_each_minute_also_on_a_busy_desk(listen: Any, nadia: Any, busy: Any, monkeypatch: Any) -> None:
    assert max(stream.LOOKS_EVERY) <= 60
    monkeypatch.setattr(stream, "LOOKS_EVERY", OFTEN)
    page = listen(nadia)
    with busy(nadia):
        for _ in range(10):
            assert page.next() == "data: schedule\n\n"
        session().execute(update(UserSession).values(ended_at=clock.now()))  # nobody says so
        keep()
        assert until_over(page)[-1] == stream.OVER


def test_to_listen_is_no_use_of_a_session(listen: Any, nadia: Any, busy: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "LOOKS_EVERY", OFTEN)
    page = listen(nadia)
    long_ago = clock.now() - sessions.idle_limit()
    session().execute(update(UserSession).values(last_seen_at=long_ago))
    keep()
    with busy(nadia):
        assert until_over(page)[-1] == stream.OVER


def test_while_the_database_is_away_it_goes_on(listen: Any, nadia: Any, busy: Any, monkeypatch: Any) -> None:
    from portal.core.errors import Unavailable
    from portal.domain.access import actors

    monkeypatch.setattr(stream, "LOOKS_EVERY", OFTEN)
    page = listen(nadia)

    def away(*_: Any, **__: Any) -> None:
        raise Unavailable

    monkeypatch.setattr(actors, "by_session", away)
    with busy(nadia):
        for _ in range(15):
            assert page.next() == "data: schedule\n\n"


def test_the_newest_pages_have_the_places_of_an_account(listen: Any, amina: Any, yacine: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(open_streams, "_at_most", 2)
    monkeypatch.setattr(stream, "LOOKS_EVERY", NEVER)
    others, oldest, *newer = listen(yacine), *(listen(amina) for _ in range(3))
    assert until_over(oldest) == [stream.FULL]
    for page in newer:
        live.nudge([amina.user_id], "schedule")
        keep()
        assert page.next() == "data: schedule\n\n"
    live.nudge([yacine.user_id], "schedule")
    keep()
    assert others.next() == "data: schedule\n\n"


def test_streams_are_opened_so_often_and_no_more(client: Any, with_limits: Any, amina: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(stream, "OPENINGS", "2 per minute")
    client.sign_in(amina)
    answers = [client.head("/live") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
