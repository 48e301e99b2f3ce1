"""What people type goes into the database and into answers to them. When the database refuses it, whatever the verb and
the field, it stands in no log, task, event or Redis.

Every field of free text that the API's description names is filled with a marker, every table refuses such a row and
quotes it, and then everything that is kept elsewhere is searched for the marker.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import Engine, event, select

from portal.core import db
from portal.core.db import session
from portal.core.events import Event
from portal.core.tasks import Task
from tests.api.conftest import Program
from tests.hearing import hearing

MARKER = "planted7f3a"
NOWHERE = "019aa000-0000-7000-8000-000000000000"
LEAVES = {"/auth/logout", "/ws", "/stream"}


@pytest.fixture
def refusing(app: Flask, ground: Any, number: int) -> Iterator[None]:
    """Every table refuses every row with the marker in it, in a message that quotes the row.

    Ask for it before `database`: the application's role adds no trigger, and who does waits for its locks.
    """
    trigger = "CREATE TRIGGER zzz_refuse BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION refuse_row()"
    triggers = ";".join(trigger.format(table.name) for table in db.Base.metadata.sorted_tables)
    made = f"""
        CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW::text ILIKE '%{MARKER}%' THEN RAISE EXCEPTION 'refused: %', NEW USING DETAIL = NEW::text; END IF;
            RETURN NEW;
        END $$; {triggers}"""
    ground.administer(made, f"tests_{number}")
    yield
    ground.administer("DROP FUNCTION refuse_row() CASCADE", f"tests_{number}")


@contextmanager
def database_errors() -> Iterator[list[str]]:
    """What PostgreSQL says of every statement that fails meanwhile."""
    said: list[str] = []

    def note(context: Any) -> None:
        said.append(str(context.original_exception))

    event.listen(Engine, "handle_error", note)
    try:
        yield said
    finally:
        event.remove(Engine, "handle_error", note)


class Filler:
    """Makes what the description asks for, with the marker in every field of free text."""

    def __init__(self, described: dict[str, Any], known: dict[str, Any]) -> None:
        self.described, self.known = described, known
        self.planted: set[str] = set()

    def fill(self, schema: Any, name: str = "") -> Any:
        if "$ref" in schema:
            return self.fill(self.described["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name)
        for choice in ("anyOf", "oneOf", "allOf"):
            if choice in schema:
                return self.fill(next(one for one in schema[choice] if one.get("type") != "null"), name)
        if "const" in schema or "enum" in schema:
            return schema.get("const", (schema.get("enum") or [None])[0])
        kind = schema.get("type")
        if kind == "object":
            return {key: self.fill(one, key) for key, one in schema.get("properties", {}).items()}
        if kind == "array":
            return [self.fill(schema["items"], name.removesuffix("s"))]
        if kind in {"integer", "number"}:
            return self.known.get(name, schema.get("minimum", 1))
        return True if kind == "boolean" else self.text(schema, name)

    def text(self, schema: Any, name: str) -> Any:
        form = schema.get("format")
        if name in self.known:
            return self.known[name]
        if form in {"uuid", "date", "date-time"}:
            return {"uuid": NOWHERE, "date": self.known["day"], "date-time": self.known["starts_at"]}[form]
        if form == "email":
            return f"{MARKER}@example.dz"
        if form or "pattern" in schema:
            return (schema.get("examples") or [""])[0]
        self.planted.add(name)
        return MARKER[: schema.get("maxLength", 99)]


@pytest.fixture
def filler(api: Program, amina: Any, dr_benali: Any, el_djazair: Any, wish: Any) -> Filler:
    visit = api.as_(amina).post("/appointments", wish("14:00")).get_json()
    told = wish("10:00")
    known = {
        "doctor_id": str(dr_benali.doctor_id), "patient_id": str(amina.patient_id), "appointment_id": visit["id"],
        "clinic_id": str(el_djazair.clinic_id), "user_id": str(amina.user_id), "day": told["starts_at"][:10], **told,
        "birth_date": "1990-05-17", "phone": "+213550998877", "contact_phone": "+213550998877",
        "password": amina.password, "current_password": amina.password,
    }  # fmt: skip
    return Filler(api.get("/openapi.json").get_json(), known)


def send(person: Program, method: str, path: str, body: dict[str, Any], example: dict[str, Any]) -> int:
    """The status of the answer; what is refused as it stands is said as in the example, or left out, and sent again."""
    for _ in range(4):
        answer = person.send(method.upper(), path, body)
        if answer.status_code != 422:
            break
        wrong = {one["field"].partition(".")[0] for one in answer.get_json(force=True)["errors"]}
        if "_" in wrong:  # as a whole
            wrong |= set(body) - set(example)
        kept = {name: value for name, value in body.items() if name not in wrong}
        body = kept | {name: example[name] for name in wrong if name in example}
    return int(answer.status_code)


def test_what_is_typed_into_any_field_is_told_nowhere_when_its_statement_fails(
    refusing: None, api: Program, filler: Filler, amina: Any, nadia: Any, dr_benali: Any, admin: Any, superadmin: Any,
    app: Flask, ground: Any, number: int,
) -> None:  # fmt: skip
    people = [api.as_(one) for one in (amina, nadia, dr_benali, admin, superadmin)]
    broken: set[str] = set()
    with hearing() as heard, database_errors() as said:
        for path, methods in filler.described["paths"].items():
            for method, told in methods.items():
                if path in LEAVES or "requestBody" not in told:
                    continue
                content = next(iter(told["requestBody"]["content"].values()))
                body, example = filler.fill(content["schema"]), content.get("example", {})
                for part in told["parameters"]:
                    path = path.replace(f"{{{part['name']}}}", str(filler.known.get(part["name"], NOWHERE)))
                for person in people:
                    before = len(said)
                    status = send(person, method, path, body, example)
                    if any(MARKER in one for one in said[before:]):
                        broken.add(told["operationId"])
                    if status not in {401, 403, 404}:
                        break
    assert len(filler.planted) > 25, sorted(filler.planted)
    assert len(broken) >= 18 and {"book", "register"} <= broken, sorted(broken)
    assert len(heard.entries("request")) > 150
    assert MARKER not in heard.getvalue().lower()
    session().expire_all()
    _nothing_kept(ground.redis_of(number))


def _nothing_kept(redis_url: str) -> None:
    """No task, event or key in Redis has the marker."""
    for row in session().scalars(select(Task)):
        assert MARKER not in f"{row.name} {row.args} {row.key} {row.last_error}".lower()
    for one in session().scalars(select(Event)):
        assert MARKER not in f"{one.name} {one.facts}".lower()
    with redis.from_url(redis_url) as kept:
        for key in kept.scan_iter("*"):
            assert MARKER.encode() not in (key + (kept.dump(key) or b"")).lower()
