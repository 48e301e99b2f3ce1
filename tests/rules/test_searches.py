"""No address holds what a person was searched for by: pages seal it, programs send it in the body."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from flask import Flask
from pydantic import BaseModel

from portal.api.v1 import v1
from tests.api.conftest import Program, problem
from tests.doors import Browser
from tests.rules.source import TEMPLATES

SEARCHES = {  # the address a search is sent to: who searches, and where it leads
    "/desk/patients/search": ("nadia", "/desk/patients"),
    "/desk/book/search": ("nadia", "/desk/book"),
    "/desk/search": ("nadia", "/desk/"),
    "/desk/walk-ins/search": ("nadia", "/desk/walk-ins/new"),
    "/desk/waitlist/search": ("nadia", "/desk/waitlist"),
    "/desk/waitlist/new/search": ("nadia", "/desk/waitlist/new"),
    "/doctor/book/search": ("dr_benali", "/doctor/book"),
    "/admin/users/search": ("superadmin", "/admin/users"),
    "/admin/doctors/search": ("superadmin", "/admin/doctors"),
    "/dev/mail/search": ("superadmin", "/dev/mail"),
}
WORDS = "Boudiaf planted7f3a 0550"
PUBLIC_FORMS = {  # GET forms in which something is typed, and why that may stand in an address
    "public/doctors/_filters.html": "doctors, clinics and places of the directory",
    "public/home.html": "the same",
    "components/search_box.html": "box and hero, for what is public",
    "admin/audit/index.html": "ids",
    "admin/tasks/index.html": "names of tasks",
}
PUBLIC_QUERIES = {  # text that programs may send in an address: the directory's, ids with commas between, codes
    ("list_doctors", "name"), ("list_doctors", "clinic"), ("list_doctors", "city"), ("list_doctors", "specialty"),
    ("list_doctors", "language"),
    ("list_clinics", "name"), ("list_clinics", "city"), ("list_my_clinics", "name"), ("list_any_slots", "specialty"),
    ("list_many_slots", "doctor_ids"), ("list_many_slots", "practice_ids"), ("list_tasks", "name"),
    ("list_events", "name"), ("list_notifications", "kind"), ("list_notifications", "type"),
    ("list_clinic_appointments", "status"), ("list_doctor_appointments", "status"),
}  # fmt: skip
TYPED = re.compile(r'<input[^>]*type="(?:search|text|tel|email)"|parts\.search\(|<textarea')


def location_of(client: Browser, path: str, words: str = WORDS, **also: Any) -> str:
    answer = client.post(path, data={"q": words, **also})
    assert answer.status_code == 303
    return str(answer.location)


def test_every_search_is_in_the_table(app: Flask) -> None:
    found = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.partition(".")[2].startswith("search_")}
    assert {one for one in found if not one.startswith("/api/")} == set(SEARCHES)


@pytest.mark.parametrize("path", SEARCHES)
def test_what_was_typed_stands_in_no_address_and_comes_back_from_it(
    client: Browser, path: str, el_djazair: Any, dr_benali: Any, request: pytest.FixtureRequest
) -> None:
    who, leads_to = SEARCHES[path]
    client.sign_in(request.getfixturevalue(who))
    to = location_of(client, path)
    assert re.fullmatch(re.escape(leads_to) + r"\?search=[\w-]+", to)
    page = client.get(to)
    assert page.status_code == 200 and f'value="{WORDS.casefold()}"' in page.text.casefold()
    addresses = " ".join(re.findall(r'(?:href|action|hx-get|hx-post)="([^"]*)"', page.text))
    assert "planted7f3a" not in addresses
    assert client.get(to).status_code == 200  # reloading asks for nothing
    for name in ("q", "name", "to"):
        plain = client.get(leads_to, query_string={name: WORDS})
        assert plain.status_code == 200 and f'value="{WORDS.casefold()}"' not in plain.text.casefold()


def test_a_seal_opens_for_whoever_searched_and_nobody_else(client: Browser, nadia: Any, admin: Any) -> None:
    to = location_of(client.sign_in(nadia), "/desk/patients/search")
    assert "planted7f3a" in client.sign_in(nadia).get(to).text  # signed in anew
    for altered in (to[:-1], to + "A", "/desk/patients?search=%00", "/desk/patients?search=AAAA", "/desk/patients"):
        answer = client.get(altered)
        assert answer.status_code == 200 and "planted7f3a" not in answer.text
    assert "planted7f3a" not in client.sign_in(admin).get(to).text


def test_a_seal_tells_little_of_the_length(client: Browser, nadia: Any) -> None:
    client.sign_in(nadia)
    lengths = {len(location_of(client, "/desk/patients/search", words)) for words in ("a", "Amina", "Boudiaf 1988")}
    assert len(lengths) == 1
    assert len(location_of(client, "/desk/patients/search", "x" * 5000)) < 400


@pytest.mark.parametrize("words", ["", "   ", "\x00"])
def test_a_search_for_nothing_is_none(client: Browser, nadia: Any, words: str) -> None:
    assert location_of(client.sign_in(nadia), "/desk/patients/search", words) == "/desk/patients"


def test_other_filters_go_on_beside_the_search(client: Browser, superadmin: Any) -> None:
    client.sign_in(superadmin)
    to = location_of(client, "/admin/users/search", role="patient", after="x", anything="else")
    assert "role=patient" in to and "after" not in to and "anything" not in to


def test_a_search_needs_a_token_as_every_post(client: Browser, nadia: Any, with_csrf: None) -> None:
    assert client.sign_in(nadia).post("/desk/patients/search", data={"q": "amina"}).status_code == 400


def test_no_form_puts_what_is_typed_into_an_address() -> None:
    """Every form of every template that is sent by GET."""
    found = set()
    for path in TEMPLATES.rglob("*.html"):
        text = path.read_text()
        forms = re.findall(r'<form[^>]*method="get".*?</form>', text, re.DOTALL)
        forms += re.findall(r"{% call table\.filters\(.*?{% endcall %}", text, re.DOTALL)
        if any(TYPED.search(form) for form in forms):
            found.add(path.relative_to(TEMPLATES).as_posix())
    assert found <= set(PUBLIC_FORMS)


def test_no_query_of_the_api_takes_names() -> None:
    """Every text that may stand in a query: what is public, and codes."""
    free = {
        (one.name, name)
        for one in v1.endpoints
        for name, field in one.query.model_fields.items()
        if name != "after" and _is_text(field.annotation, field.metadata)
    }
    assert free <= PUBLIC_QUERIES, free - PUBLIC_QUERIES


def _is_text(kind: Any, about: list[Any]) -> bool:
    if any(getattr(one, "pattern", None) for one in about):
        return False
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return any(_is_text(one.annotation, one.metadata) for one in kind.model_fields.values())
    return kind is str or any(_is_text(one, []) for one in get_args(kind) if not isinstance(one, str))


@pytest.mark.parametrize(("path", "query"), [("/users", "name=a"), ("/doctors/mine", "name=a"), ("/patients", "q=a")])
def test_programs_that_put_a_name_into_an_address_are_refused(
    api: Program, superadmin: Any, path: str, query: str
) -> None:
    answer = api.as_(superadmin).get(f"{path}?{query}")
    if path == "/patients":
        problem(answer, 405, "method_not_allowed")
    else:
        problem(answer, 422, "invalid")


def test_programs_search_by_body(api: Program, superadmin: Any, nadia: Any, amina: Any, el_djazair: Any) -> None:
    program = api.as_(superadmin)
    assert [one["email"] for one in program.post("/users/search", {"name": "boudiaf"}).get_json()["items"]] == [
        amina.email
    ]
    page = program.post("/users/search", {"name": "example.dz", "limit": 1}).get_json()
    more = program.post("/users/search", {"name": "example.dz", "limit": 1, "after": page["next"]}).get_json()
    assert page["items"][0]["id"] != more["items"][0]["id"]
    assert program.post("/doctors/mine/search", {"name": "nobody"}).get_json()["items"] == []
    here = f"/clinics/{el_djazair.clinic_id}/waitlist/search"
    assert api.as_(nadia).post(here, {"name": "amina"}).get_json()["items"] == []
    problem(api.as_(amina).post(here, {"name": "amina"}), 404, "not_found")
