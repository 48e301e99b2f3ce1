"""No date that anybody can write breaks a page or an operation: every route × every strange date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Annotated, Any, get_args, get_origin

import pytest
from flask import Flask
from pydantic import TypeAdapter, ValidationError
from werkzeug.routing import Rule

from portal.api.contract import Endpoint
from portal.api.v1 import v1
from portal.core import days
from portal.core.errors import Refused
from portal.core.shapes import Shape
from portal.domain.scheduling import booking
from tests.api.conftest import Program
from tests.builders import at
from tests.rules.source import modules, names

DATES = ["0001-01-01", "1969-12-31", "1999-12-31", "2199-12-31", "2200-01-01", "9999-12-31", "0", "1767225600",
         "2026-02-30", "٢٠٢٦-٠١-٠١", "2026-W01-1"]  # fmt: skip
MOMENTS = ["0001-01-01T09:30:00+14:00", "1999-12-31T23:30:00Z", "2199-12-31T23:30:00-14:00",
           "9999-12-31T23:30:00-14:00", "0", "1767225600", "24:00"]  # fmt: skip
RANGES = [("2026-03-31", "2026-03-01"), ("", "2000-01-02"), ("2199-12-31", ""), ("", "2199-12-31"),
          ("2000-01-01", "2199-12-31"), ("9999-12-31", "0001-01-01")]  # fmt: skip
NAMES = ("from", "to", "first", "last", "start", "end", "day", "date", "week", "at", "starts_at", "starts", "ends",
         "wall", "before", "near", "until", "since", "year", "times")  # fmt: skip
BEGINS, ENDS = {"from", "first", "start", "starts"}, {"to", "last", "end", "ends", "until", "before"}
WHO = {"doctor": "dr_benali", "desk": "nadia", "admin": "superadmin"}  # opens the pages of a blueprint; else amina


@pytest.fixture
def ids(database: Any, amina: Any, nadia: Any, superadmin: Any, dr_benali: Any, el_djazair: Any) -> dict[str, str]:
    """What addresses and bodies name, by the names of the parts."""
    visit = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("11:00"),
    )
    practice, patient, clinic = str(dr_benali.practice_id), str(amina.patient_id), str(el_djazair.clinic_id)
    kind = str(el_djazair.consultation_id)
    return {
        "practice_id": practice, "practice": practice, "place": practice, "practice_ids": practice,
        "patient_id": patient, "patient": patient, "visit_type_id": kind, "kind": kind, "clinic_id": clinic,
        "doctor_id": str(dr_benali.doctor_id), "appointment_id": str(visit.id), "key": str(visit.id),
        "slug": el_djazair.slug, "clinic": el_djazair.slug, "moving_id": str(visit.id), "to_practice_id": practice,
    }  # fmt: skip


def test_no_page_breaks_at_a_date(
    app: Flask, client: Any, ids: dict[str, str], request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    for name in ("typed", "_written_moment", "read_time"):
        asked = getattr(days, name)
        monkeypatch.setattr(days, name, lambda written, asked=asked: read.append(written) or asked(written))
    broken, looked_at = [], set()
    for who, rules in _pages(app).items():
        client.sign_in(request.getfixturevalue(who))
        for rule in rules:
            del read[:]
            path = _address(app, rule, ids | {"slug": "dr-samira-benali"} if "doctors" in rule.rule else ids)
            client.get(path, query_string=ids | dict.fromkeys(NAMES, "2026-03-31"))
            if not read:
                continue
            looked_at.add(rule.endpoint)
            for said in _sayings():
                answer = client.get(path, query_string=ids | said)
                broken += [(rule.endpoint, said, answer.status_code)] * (answer.status_code >= 500)
    assert broken == []
    assert {"public.directory", "desk.calendar", "doctor.week", "public.book_times", "desk.day"} <= looked_at


@pytest.mark.parametrize("said", [{"before": "0"}, {"before": "9999-12-31"}, {"before": "2026-02-30"}])
def test_what_is_no_date_gets_a_sentence_in_the_directory(client: Any, said: dict[str, str]) -> None:
    answer = client.get("/doctors", query_string=said)
    assert answer.status_code == 422
    assert any(sentence in answer.text for sentence in ("Please write a date", "Please choose a time in this century"))


def test_no_operation_breaks_at_a_date(client: Any, api: Program, ids: dict[str, str], superadmin: Any) -> None:
    program, broken, looked_at = api.as_(superadmin), [], set()
    for endpoint in v1.endpoints:
        if endpoint.streams:
            continue
        path = endpoint.path.format_map(_Any(ids))
        for shape, in_body in ((endpoint.query, False), (endpoint.body, True)):
            for name, value in _strange(shape, ids, endpoint if in_body else None):
                looked_at.add(endpoint.name)
                for sender in (program, api) if endpoint.public else (program,):
                    sent = {"body": value} if in_body else {"query_string": value}
                    status = sender.send(endpoint.method, path, **sent).status_code
                    broken += [(endpoint.name, name, value, status)] * (status >= 500)
    assert broken == []
    assert {"list_many_slots", "list_doctors", "add_holiday", "list_events", "book"} <= looked_at


@pytest.mark.parametrize("to", ["2000-01-02", "2199-12-31"])
@pytest.mark.parametrize("path", ["/slots", "/doctors/{doctor_id}/slots"])
def test_an_end_without_a_beginning_is_compared_with_today(
    api: Program, ids: dict[str, str], path: str, to: str
) -> None:
    named = "practice_ids" if path == "/slots" else "practice_id"
    query = {named: ids[named], "visit_type_id": ids["visit_type_id"], "to": to}
    answer = api.get(path.format_map(ids), query_string=query)
    assert answer.status_code == (422 if to < "2026" else 200)
    if to < "2026":
        assert answer.get_json(force=True)["errors"] == [
            {"field": "to", "detail": "The last day must not be before the first."}
        ]


def _fields() -> Iterator[tuple[str, Any, set[type]]]:
    def below(kind: type) -> Iterator[type]:
        for one in kind.__subclasses__():
            yield one
            yield from below(one)

    for shape in below(Shape):
        if not shape.__module__.startswith("portal."):
            continue
        for name, field in shape.model_fields.items():
            if found := _kinds(field.annotation) & {date, datetime, time}:
                whole = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
                yield f"{shape.__module__}.{shape.__name__}.{name}", TypeAdapter(whole), found


def test_every_date_that_comes_in_is_one_of_the_calendar() -> None:
    """Each field of each Shape, from a form and from JSON; a bare number would be read as seconds since 1970."""
    wrong = {
        date: ["0", "1767225600", "9999-12-31", "0001-01-01", 0],
        datetime: ["0", "1767225600", "9999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "9999-12-31T00:00:00", 0],
        time: ["0", "09:00+01:00", "1767225600"],
    }
    taken, looked_at = [], 0
    for name, adapter, kinds in _fields():
        looked_at += 1
        for value in (value for kind in kinds for value in wrong[kind]):
            for said in (value, [value]):
                if _takes(adapter, said):
                    taken.append((name, said))
    assert taken == []
    assert looked_at > 30


def test_only_one_file_reads_dates_of_addresses() -> None:
    readers = ("date.fromisoformat", "datetime.fromisoformat", "time.fromisoformat", "datetime.strptime")
    found = {
        path
        for path, tree in modules().items()
        if path.startswith(("portal/web/", "portal/api/")) and any(name in readers for _line, name in names(tree))
    }
    assert found == {"portal/web/patient/telling.py", "portal/api/v1/agenda.py", "portal/web/waiting.py"}  # our own


def _takes(adapter: Any, said: Any) -> bool:
    try:
        adapter.validate_python(said)
    except (ValidationError, Refused):
        return False
    return True


def _kinds(annotation: Any) -> set[type]:
    if isinstance(annotation, type):
        return {annotation}
    return {get_origin(annotation)}.union(*map(_kinds, get_args(annotation)))


def _pages(app: Flask) -> dict[str, list[Rule]]:
    """The pages that can be opened, under whoever opens them."""
    found: dict[str, list[Rule]] = {}
    for rule in app.url_map.iter_rules():
        blueprint = rule.endpoint.partition(".")[0]
        if "GET" in (rule.methods or ()) and blueprint not in {"api_v1", "stream", "ops", "oauth", "static", "dev"}:
            found.setdefault(WHO.get(blueprint, "amina"), []).append(rule)
    return found


def _address(app: Flask, rule: Rule, ids: dict[str, str]) -> str:
    values = {name: ids.get(name, ids["key"]) for name in rule.arguments}
    return app.url_map.bind("localhost").build(rule.endpoint, values)


def _sayings() -> Iterator[dict[str, str]]:
    for value in ("0001-01-01", "2199-12-31", "9999-12-31", "0", "9999-12-31T23:59:00-14:00"):
        yield dict.fromkeys(NAMES, value)
    for first, last in RANGES[:3]:
        said = dict.fromkeys(BEGINS, first) | dict.fromkeys(ENDS, last)
        yield {name: value for name, value in said.items() if value}


class _Any(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return self["key"]


def _strange(shape: Any, ids: dict[str, str], endpoint: Endpoint | None) -> Iterator[tuple[str, dict[str, Any]]]:
    """What an endpoint is sent: a whole question in which one date after the other, or both ends, are strange."""
    fields = {
        field.alias or name: _kinds(field.annotation) for name, field in (shape.model_fields if shape else {}).items()
    }
    dated = {name: kinds for name, kinds in fields.items() if kinds & {date, datetime}}
    base = {name: ids[name] for name in fields if name in ids and name not in {"to_practice_id", "moving_id"}}
    base = {**(endpoint.example or {}), **base} if endpoint else base
    for name, kinds in dated.items():
        for value in MOMENTS if datetime in kinds else DATES:
            yield name, base | {name: [value] if list in kinds else value}
    for first, last in RANGES:
        ends = {"from": first, "to": last, "first": first, "last": last}
        if said := {name: value for name, value in ends.items() if value and name in dated}:
            yield "range", base | said
