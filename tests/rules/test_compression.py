"""Who gets compressed answers: nobody whose browser somebody else can make ask with its cookie (BREACH)."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest

from portal.compression import may_compress
from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from tests.api.conftest import Program
from tests.rules.source import ROOT

GZIP = {"Accept-Encoding": "gzip"}
PAGE = "/patient/appointments"


def how(answer: Any) -> str | None:
    assert "Accept-Encoding" in answer.headers.get("Vary", "")
    return answer.headers.get("Content-Encoding")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("site", "expected"),
    [
        ("same-origin", "gzip"), ("none", "gzip"), ("same-site", None), ("cross-site", None), (None, None),
        ("Same-Origin", None), ("", None),
    ],
)  # fmt: skip
def test_with_a_cookie_a_page_is_compressed_only_for_requests_from_our_own_pages(
    client: Any, amina: Any, site: str | None, expected: str | None
) -> None:
    client.sign_in(amina)
    head = GZIP | ({"Sec-Fetch-Site": site} if site is not None else {})
    assert how(client.get(PAGE, headers=head)) == expected


def test_a_cookie_without_a_sign_in_counts_too(client: Any) -> None:
    """Its page has a CSRF token and, in the middle of a booking, what is held."""
    client.get("/account/sign-in")
    assert how(client.get("/account/sign-in?next=/x", headers=GZIP)) is None


def test_without_a_cookie_a_page_is_compressed_and_much_smaller(client: Any, dr_benali: Any) -> None:
    plain = client.get("/doctors").get_data()
    client._cookies.clear()
    packed = client.get("/doctors", headers=GZIP | {"Sec-Fetch-Site": "cross-site"})
    assert how(packed) == "gzip" and len(packed.get_data()) * 3 < len(plain)
    assert b"</html>" in gzip.decompress(packed.get_data())


def test_the_api_is_compressed_since_it_takes_no_cookie(client: Any, amina: Any) -> None:
    client.sign_in(amina)
    program = Program(client).as_(amina)
    described = program.get("/openapi.json", headers=GZIP | {"Sec-Fetch-Site": "cross-site"})
    assert how(described) == "gzip"
    assert client.get("/api/v1/appointments", headers=GZIP).status_code == 401


def test_every_answer_that_takes_a_cookie_obeys_the_rule(app: Any, amina: Any) -> None:
    """Whatever the address."""
    cookie = {"Cookie": f"{app.config['SESSION_COOKIE_NAME']}=x"}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith("/api/"):
            with app.test_request_context(re.sub("<.*?>", "x", rule.rule), headers=cookie):
                assert not may_compress(), rule


def test_a_compressed_page_with_a_tag_is_not_sent_again(client: Any, el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).has_board = True
    keep()
    head = GZIP | {"HX-Request": "true"}
    first = client.get(f"/clinics/{el_djazair.slug}/board", headers=head)
    client._cookies.clear()
    again = client.get(f"/clinics/{el_djazair.slug}/board", headers=head | {"If-None-Match": first.headers["ETag"]})
    assert (first.status_code, again.status_code) == (200, 304)


def test_the_proxy_compresses_static_files_and_nothing_else() -> None:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    static = re.search(r"location /static/ {(.*?)\n  }", text, re.DOTALL)
    assert static and "gzip on;" in static[1]
    rest = text.replace(static[0], "")
    assert re.findall(r"^\s*(gzip\w* [^;]+;|brotli[^;]*;|zstd[^;]*;)", rest, re.MULTILINE) == ["gzip off;"]
