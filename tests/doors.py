"""Ways in and out that tests use: a browser without JavaScript, and the mail that was kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from email.message import EmailMessage
from typing import Any

from flask import has_app_context
from flask.testing import FlaskClient

from portal.core.actor import Actor
from portal.core.db import db, keep, transaction
from portal.domain.identity import accounts, sessions


class Browser(FlaskClient):
    """A test client whose every request has a context of its own, as in real life, beside the test's."""

    def open(self, *args: Any, **kwargs: Any) -> Any:
        if has_app_context():
            keep()
        with self.application.app_context():
            answer = super().open(*args, **kwargs)
            answer.get_data()
        if has_app_context():
            db.session.expire_all()
        return answer

    def sign_in(self, person: Any) -> Browser:
        """Sign a person in without the form."""
        self.sign_out()
        if has_app_context():
            keep()
        with self.application.app_context(), transaction():
            _, token = sessions.start(Actor(door="web", address="127.0.0.1"), accounts.get(person.user_id), "tests")
        with self.session_transaction() as cookie:
            cookie.update(_user_id=token, _fresh=True, _permanent=True)
        return self

    def search(self, path: str, words: str, *, headers: Any = None, **also: Any) -> Any:
        """Send a search for people from its form and follow to what was found."""
        sent = self.post(f"{path}/search", data={"q": words, **also}, headers=headers)
        assert sent.status_code == 303, sent.text
        return self.get(sent.location, headers=headers)

    def sign_out(self) -> None:
        """Forget every cookie."""
        self._cookies.clear()  # type: ignore[union-attr]


class Post:
    """The mail that was kept: `to(address)`, latest first; `link(address)` is the first address in the latest."""

    def __init__(self, box: Any, before_reading: Callable[[], Any]) -> None:
        self._box, self._before_reading = box, before_reading

    def all(self) -> list[EmailMessage]:
        self._before_reading()
        return [message for _, message in self._box.read(limit=1000)]

    def to(self, address: str) -> list[EmailMessage]:
        return [message for message in self.all() if address.casefold() in str(message["To"]).casefold()]

    def latest(self, address: str) -> EmailMessage:
        found = self.to(address)
        assert found, f"no mail for {address}"
        return found[0]

    def text(self, address: str) -> str:
        """The plain text of the latest mail to this address."""
        part = self.latest(address).get_body(("plain",))
        assert part is not None
        return str(part.get_content())

    def link(self, address: str, about: str = "") -> str:
        """The first link in the latest mail to this address that contains `about`."""
        links = [link for link in re.findall(r"https?://[^\s<>\"]+", self.text(address)) if about in link]
        assert links, f"no link with {about!r} in {self.text(address)}"
        return str(links[0])
