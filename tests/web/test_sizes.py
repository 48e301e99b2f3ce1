"""What is too large or broken is refused with a page for people and a problem for programs, never with a 500."""

from __future__ import annotations

from typing import Any

import pytest

from portal.web import sizes
from tests.doors import Browser

DOORS = [("/doctors", "text/html"), ("/api/v1/doctors", "application/problem+json")]
LONG = "a" * (sizes.MOST_ADDRESS + 1)


class Torn:
    """A server's body that ends in the middle of a chunk."""

    def __init__(self, kind: type[Exception]) -> None:
        self.kind, self.begun = kind, False

    def read(self, size: int = -1) -> bytes:
        if self.begun:
            raise self.kind("invalid chunk size")
        self.begun = True
        return b'{"email": "a'[:size] if size > 0 else b'{"email": "a'

    readline = read


@pytest.mark.parametrize(("path", "kind"), DOORS)
def test_a_long_address(client: Browser, path: str, kind: str) -> None:
    answer = client.get(path, query_string={"name": LONG}, headers={"Accept-Language": "fr"})
    assert (answer.status_code, answer.mimetype) == (414, kind)
    assert ("Adresse trop longue" if kind == "text/html" else '"code":"address_too_long"') in answer.text


@pytest.mark.parametrize(("path", "kind"), DOORS)
def test_a_large_head(client: Browser, path: str, kind: str) -> None:
    answer = client.get(path, headers={"X-Large": "a" * (sizes.MOST_HEAD + 1)})
    assert (answer.status_code, answer.mimetype) == (431, kind)


@pytest.mark.parametrize(("path", "kind"), [("/account/sign-in", "text/html"),
                                            ("/api/v1/auth/login", "application/problem+json")])  # fmt: skip
def test_a_large_body(client: Browser, path: str, kind: str) -> None:
    answer = client.post(path, data=b"a" * (12 * 1024 * 1024), content_type="application/json")
    assert (answer.status_code, answer.mimetype) == (413, kind)


@pytest.mark.parametrize("wrong", [ValueError, OSError, RuntimeError, type("InvalidChunkSize", (Exception,), {})])
@pytest.mark.parametrize(("path", "kind", "sent"), [
    ("/account/sign-in", "text/html", "application/x-www-form-urlencoded"),
    ("/account/sign-in", "text/html", "multipart/form-data; boundary=x"),
    ("/api/v1/auth/login", "application/problem+json", "application/json"),
    ("/oauth/token", "application/problem+json", "application/x-www-form-urlencoded"),
])  # fmt: skip
def test_a_body_that_breaks_off(client: Browser, path: str, kind: str, sent: str, wrong: Any) -> None:
    answer = client.post(
        path,
        content_type=sent,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": Torn(wrong), "wsgi.input_terminated": True},
    )
    assert answer.status_code == 400
    assert answer.mimetype in {kind, "application/json"}
