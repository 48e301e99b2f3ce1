"""What may come in, and how it is refused: the same problem everywhere, whoever says no."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest

from portal.api.contract import MOST_BYTES
from tests.api.conftest import Program, problem

LOGIN = "/auth/login"
JSON = "application/json"


def fields(said: dict[str, Any]) -> dict[str, str]:
    return {one["field"]: one["detail"] for one in said["errors"]}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "text/json", None])
def test_a_body_is_json_or_refused(api: Program, database: Any, kind: str | None) -> None:
    problem(
        api.post(LOGIN, data=b'{"email": "a@b.dz", "password": "x"}', content_type=kind), 415, "unsupported_media_type"
    )


@pytest.mark.parametrize("raw", [b"{", b"", b"\xff\xfe", b'{"email": "\\ud800"}', b"{'a': 1}", b"[" * 5000])
def test_what_is_not_json_is_malformed(api: Program, database: Any, raw: bytes) -> None:
    problem(api.post(LOGIN, data=raw, content_type=JSON), 400, "malformed")


@pytest.mark.parametrize("raw", [b"[]", b"null", b'"text"', b"1"])
def test_json_that_is_no_object_is_invalid(api: Program, database: Any, raw: bytes) -> None:
    problem(api.post(LOGIN, data=raw, content_type=JSON), 422, "invalid")


def test_a_body_may_name_its_charset(api: Program, database: Any) -> None:
    answer = api.post(LOGIN, data=b"{}", content_type="application/json; charset=utf-8")
    assert set(fields(problem(answer, 422, "invalid"))) == {"email", "password"}


def test_unknown_keys_are_refused_by_name(api: Program, amina: Any, wish: Any) -> None:
    said = problem(api.as_(amina).post("/appointments", wish(status="confirmed", role="admin")), 422, "invalid")
    assert set(fields(said)) == {"status", "role"}


def test_types_are_taken_as_they_are_written(api: Program, amina: Any) -> None:
    path = "/appointments/019aa000-0000-7000-8000-000000000000/cancel"
    for version in ("1", True, 1.5, 0, -1, [1]):
        assert set(fields(problem(api.as_(amina).post(path, {"version": version}), 422, "invalid"))) == {"version"}


@pytest.mark.parametrize(
    "moment", ["2026-03-31T09:30:00", "2026-03-31", "tomorrow", "9999-12-31T23:59:59Z", "", 5, None]
)
def test_a_time_needs_its_offset_and_a_sensible_year(api: Program, amina: Any, wish: Any, moment: Any) -> None:
    said = problem(api.as_(amina).post("/appointments", wish(starts_at=moment)), 422, "invalid")
    assert set(fields(said)) == {"starts_at"}


@pytest.mark.parametrize("reason", ["x" * 501, "a\x00b"])
def test_text_that_cannot_be_stored_is_refused(api: Program, amina: Any, wish: Any, reason: str) -> None:
    assert set(fields(problem(api.as_(amina).post("/appointments", wish(reason=reason)), 422, "invalid"))) == {"reason"}


def test_a_large_body_is_refused_before_it_is_read(api: Program, database: Any) -> None:
    problem(api.post(LOGIN, data=b" " * (MOST_BYTES + 1), content_type=JSON), 413, "too_large")


def test_a_large_body_of_unknown_length_is_refused_too(api: Program, database: Any) -> None:
    body = BytesIO(b" " * (MOST_BYTES * 2))
    chunked = {"wsgi.input": body, "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    problem(api.post(LOGIN, content_type=JSON, environ_overrides=chunked), 413, "too_large")
    assert body.tell() <= MOST_BYTES + 1


@pytest.mark.parametrize("path", ["/doctors?page=2", "/clinics?x=", "/specialties?lang=fr", "/holds?token=abc"])
def test_unknown_query_parameters_are_refused(api: Program, database: Any, path: str) -> None:
    problem(api.get(path), 422, "invalid")


def test_a_parameter_given_twice_is_refused(api: Program, database: Any) -> None:
    assert set(fields(problem(api.get("/doctors?limit=5&limit=50"), 422, "invalid"))) == {"limit"}


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=x",
        "after=%00",
        "after=x",
        "after=W10",
        "sort=price",
        "gender=x",
        "latitude=91&longitude=0",
    ],
)
def test_bad_filters_are_refused(api: Program, dr_benali: Any, query: str) -> None:
    problem(api.get(f"/doctors?{query}"), 422, api.get(f"/doctors?{query}").get_json(force=True)["code"])


@pytest.mark.parametrize("after", ["x", "W10", "WzEsMl0", "W251bGwsbnVsbF0", "e30"])
@pytest.mark.parametrize("path", ["/clinics?", "/appointments?", "/doctors?", "/doctors?sort=name&"])
def test_a_cursor_of_another_kind_is_refused(api: Program, amina: Any, dr_benali: Any, path: str, after: str) -> None:
    problem(api.as_(amina).get(f"{path}after={after}"), 422, "bad_cursor")


@pytest.mark.parametrize("after", ["WyIyMDI2IiwgIngiXQ", "WyJcdWQ4MDAiLCAiXHUwMDAwIl0"])
@pytest.mark.parametrize("path", ["/clinics?", "/appointments?", "/doctors?sort=name&"])
def test_a_cursor_we_did_not_make_is_refused(api: Program, amina: Any, dr_benali: Any, path: str, after: str) -> None:
    problem(api.as_(amina).get(f"{path}after={after}"), 422, "bad_cursor")


@pytest.mark.parametrize("path", ["/nowhere", "/doctors/not-an-id", "/appointments/1", "/doctors/"])
def test_an_unknown_address_is_a_problem_too(api: Program, database: Any, path: str) -> None:
    problem(api.get(path), 404, "not_found")


@pytest.mark.parametrize(
    ("method", "path"), [("PUT", "/doctors"), ("DELETE", "/appointments"), ("GET", "/auth/login"), ("PATCH", "/holds")]
)
def test_another_method_is_refused_with_those_there_are(api: Program, database: Any, method: str, path: str) -> None:
    answer = api.send(method, path)
    problem(answer, 405, "method_not_allowed")
    assert "OPTIONS" in answer.headers["Allow"] and method not in answer.headers["Allow"]


def test_options_says_what_there_is(api: Program, database: Any) -> None:
    answer = api.send("OPTIONS", "/appointments")
    assert answer.status_code == 200
    assert {one.strip() for one in answer.headers["Allow"].split(",")} == {"GET", "HEAD", "OPTIONS", "POST"}


def test_head_is_get_without_a_body(api: Program, dr_benali: Any) -> None:
    answer = api.send("HEAD", f"/doctors/{dr_benali.doctor_id}")
    assert answer.status_code == 200 and answer.data == b"" and answer.mimetype == JSON


def test_a_failure_of_ours_is_a_problem_without_a_trace(
    api: Program, amina: Any, monkeypatch: pytest.MonkeyPatch, app: Any
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("portal.domain.scheduling.glance.mine", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    answer = api.as_(amina).get("/appointments")
    problem(answer, 500, "internal")
    assert b"secret" not in answer.data and b"Traceback" not in answer.data


def test_a_request_id_is_taken_over_or_made(api: Program, database: Any) -> None:
    assert api.get("/clinics", headers={"X-Request-ID": "mine-1"}).headers["X-Request-ID"] == "mine-1"
    made = api.get("/clinics", headers={"X-Request-ID": "not ok\t;"}).headers["X-Request-ID"]
    assert made and made != "not ok\t;"


@pytest.mark.parametrize(("asked", "spoken"), [("fr-DZ, en;q=0.5", "fr"), ("ar", "ar"), ("de", "en"), (None, "en")])
def test_sentences_come_in_the_language_asked_for(api: Program, database: Any, asked: str | None, spoken: str) -> None:
    answer = api.get("/nowhere", headers={"Accept-Language": asked} if asked else {})
    assert answer.headers["Content-Language"] == spoken
    assert "Accept-Language" in answer.headers["Vary"]


def test_without_a_wish_the_account_s_language_is_spoken(api: Program, dr_haddad: Any) -> None:
    assert api.as_(dr_haddad).get("/auth/me").headers["Content-Language"] == "fr"
    assert api.as_(dr_haddad).get("/auth/me", headers={"Accept-Language": "en"}).headers["Content-Language"] == "en"


def test_nothing_of_the_api_is_kept_by_caches(api: Program, amina: Any) -> None:
    for path in ("/auth/me", "/doctors", "/nowhere"):
        assert api.as_(amina).get(path).headers["Cache-Control"] == "no-store"
