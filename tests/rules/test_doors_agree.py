"""Pages and programs share every rule: the same wish gets the same "no", with the same code, status and sentence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask, template_rendered

from portal.core.db import keep, session
from portal.domain.scheduling.models import Appointment, VisitType
from tests.api.conftest import Program
from tests.builders import at
from tests.rules.source import PORTAL

NOWHERE = "019aa000-0000-7000-8000-000000000000"


@dataclass(frozen=True)
class No:
    """How a door refused."""

    status: int
    code: str
    sentence: str


class Doors:
    """One person at both doors."""

    def __init__(self, app: Flask, client: Any) -> None:
        self.app, self.client = app, client

    def page(self, person: Any, path: str, form: dict[str, Any]) -> No:
        seen: list[dict[str, Any]] = []

        def look(_app: Flask, template: Any, context: dict[str, Any], **_: Any) -> None:
            seen.append(context)

        self.client.sign_in(person)
        with template_rendered.connected_to(look, self.app):
            answer = self.client.post(path, data=form)
        assert seen, f"{answer.status_code} {answer.headers.get('Location')}"
        no = next((context["refusal"] for context in seen if context.get("refusal") is not None), None)
        if no is None:
            return No(answer.status_code, seen[-1]["code"], seen[-1]["sentence"])
        return No(answer.status_code, no.code, str(no))

    def program(self, person: Any, path: str, body: dict[str, Any]) -> No:
        answer = Program(self.client).as_(person).post(path, body)
        said = answer.get_json(force=True)
        assert answer.status_code >= 400, said
        return No(answer.status_code, said["code"], said["detail"])

    def refuse_booking(self, person: Any, wanted: dict[str, Any]) -> No:
        """What both say to the same booking; they must agree."""
        page, program = self.page(person, "/book/details", wanted), self.program(person, "/appointments", wanted)
        assert page == program
        return program

    def refuse_change(self, person: Any, door: str, visit: str, page: str, verb: str, body: dict[str, Any]) -> No:
        """What both say to the same change of a visit; they must agree."""
        by_page = self.page(person, f"/{door}/appointments/{visit}/{page}", body)
        by_program = self.program(person, f"/appointments/{visit}/{verb}", body)
        assert by_page == by_program
        return by_program


@pytest.fixture
def doors(app: Flask, client: Any) -> Doors:
    return Doors(app, client)


@pytest.fixture
def kind(dr_benali: Any, el_djazair: Any) -> Callable[..., None]:
    """Changes the policy of the consultation."""

    def change(**policy: Any) -> None:
        row = session().get_one(VisitType, el_djazair.consultation_id)
        for name, value in policy.items():
            setattr(row, name, value)
        keep()

    return change


@pytest.fixture
def visit(client: Any, amina: Any, wish: Any) -> str:
    """Amina's confirmed consultation at 09:00."""
    return str(Program(client).as_(amina).post("/appointments", wish()).get_json()["id"])


@pytest.fixture
def request_(client: Any, amina: Any, wish: Any, el_djazair: Any) -> str:
    """Amina's video follow-up at 10:00 that waits for the doctor."""
    wanted = wish("10:00", visit_type_id=str(el_djazair.follow_up_id))
    return str(Program(client).as_(amina).post("/appointments", wanted).get_json()["id"])


# --- booking ---


@pytest.mark.parametrize(
    ("wall", "ahead", "code"), [("09:10", 3, "not_on_grid"), ("20:00", 3, "no_opening"), ("09:00", 80, "too_far")]
)
def test_both_refuse_a_time_outside_the_rules(
    doors: Doors, amina: Any, wish: Any, wall: str, ahead: int, code: str
) -> None:
    no = doors.refuse_booking(amina, wish(wall, ahead))
    assert (no.status, no.code) == (409, code)


def test_both_refuse_a_time_too_soon(doors: Doors, amina: Any, wish: Any, kind: Any) -> None:
    kind(lead_minutes=60 * 24 * 30)
    no = doors.refuse_booking(amina, wish())
    assert (no.status, no.code) == (409, "too_soon")


def test_both_refuse_the_past(doors: Doors, amina: Any, wish: Any) -> None:
    past = datetime.fromisoformat(wish()["starts_at"]) - timedelta(days=28)
    no = doors.refuse_booking(amina, wish(starts_at=past.isoformat()))
    assert (no.status, no.code) == (409, "past")


def test_both_refuse_a_taken_time(doors: Doors, visit: str, yacine: Any, wish: Any) -> None:
    no = doors.refuse_booking(yacine, wish())
    assert (no.status, no.code) == (409, "taken")


def test_both_refuse_a_second_visit_at_one_time(
    doors: Doors, visit: str, amina: Any, dr_haddad: Any, wahran: Any, wish: Any
) -> None:
    elsewhere = {"practice_id": str(dr_haddad.practice_id), "visit_type_id": str(wahran.consultation_id)}
    no = doors.refuse_booking(amina, wish(**elsewhere))
    assert (no.status, no.code) == (409, "patient_busy")


def test_both_refuse_an_unverified_address(doors: Doors, lina: Any, wish: Any) -> None:
    no = doors.refuse_booking(lina, wish())
    assert (no.status, no.code) == (403, "email_not_verified")


def test_both_refuse_an_account_that_is_no_patient(doors: Doors, nadia: Any, wish: Any) -> None:
    no = doors.refuse_booking(nadia, wish())
    assert (no.status, no.code) == (403, "no_patient_profile")


def test_both_refuse_more_visits_than_allowed(doors: Doors, visit: str, amina: Any, wish: Any, kind: Any) -> None:
    kind(most_upcoming=1)
    no = doors.refuse_booking(amina, wish("11:00"))
    assert (no.status, no.code) == (409, "too_many_upcoming")


def test_both_refuse_a_full_day(doors: Doors, visit: str, yacine: Any, wish: Any, kind: Any) -> None:
    kind(most_per_day=1)
    no = doors.refuse_booking(yacine, wish("11:00"))
    assert (no.status, no.code) == (409, "day_full")


@pytest.mark.parametrize("name", ["practice_id", "visit_type_id"])
def test_for_both_what_does_not_exist_is_not_found(doors: Doors, amina: Any, wish: Any, name: str) -> None:
    no = doors.refuse_booking(amina, wish(**{name: NOWHERE}))
    assert (no.status, no.code) == (404, "not_found")


def test_neither_takes_what_only_the_desk_books(doors: Doors, amina: Any, wish: Any, kind: Any) -> None:
    """The page has no such form to fill in; the program is told why."""
    kind(bookable_by="desk")
    assert doors.program(amina, "/appointments", wish()).code == "not_self_bookable"
    assert doors.page(amina, "/book/details", wish()).status in {403, 404}
    assert session().query(Appointment).count() == 0


def test_neither_books_for_somebody_else(doors: Doors, amina: Any, yacine: Any, wish: Any) -> None:
    wanted = wish(patient_id=str(yacine.patient_id))
    assert doors.program(amina, "/appointments", wanted).status == 404
    doors.client.sign_in(amina)
    doors.client.post("/book/details", data=wanted)
    assert session().query(Appointment).filter_by(patient_id=yacine.patient_id).count() == 0


def test_both_name_the_same_other_times(doors: Doors, visit: str, yacine: Any, wish: Any) -> None:
    answer = Program(doors.client).as_(yacine).post("/appointments", wish())
    told = [datetime.fromisoformat(one) for one in answer.get_json(force=True)["alternatives"]]
    seen: list[Any] = []

    def look(_app: Flask, template: Any, context: dict[str, Any], **_: Any) -> None:
        seen.append(context.get("refusal"))

    doors.client.sign_in(yacine)
    with template_rendered.connected_to(look, doors.app):
        doors.client.post("/book/details", data=wish())
    assert told and [no.facts["alternatives"] for no in seen if no] == [told]


# --- changing ---


@pytest.mark.parametrize(("page", "verb"), [("cancel", "cancel"), ("move", "reschedule")])
def test_both_refuse_after_the_cut_off(doors: Doors, visit: str, amina: Any, kind: Any, page: str, verb: str) -> None:
    kind(cutoff_minutes=60 * 24 * 30)
    no = doors.refuse_change(amina, "patient", visit, page, verb, _body(verb))
    assert (no.status, no.code) == (409, "cutoff")


@pytest.mark.parametrize(("page", "verb"), [("cancel", "cancel"), ("move", "reschedule")])
def test_both_refuse_an_old_version(doors: Doors, visit: str, amina: Any, page: str, verb: str) -> None:
    no = doors.refuse_change(amina, "patient", visit, page, verb, _body(verb) | {"version": 7})
    assert (no.status, no.code) == (409, "stale_version")


@pytest.mark.parametrize(("page", "verb"), [("cancel", "cancel"), ("move", "reschedule")])
def test_for_both_another_s_visit_does_not_exist(doors: Doors, visit: str, yacine: Any, page: str, verb: str) -> None:
    no = doors.refuse_change(yacine, "patient", visit, page, verb, _body(verb))
    assert (no.status, no.code) == (404, "not_found")


def test_both_refuse_one_move_too_many(doors: Doors, visit: str, amina: Any, kind: Any) -> None:
    kind(most_moves=0)
    no = doors.refuse_change(amina, "patient", visit, "move", "reschedule", _body("reschedule"))
    assert (no.status, no.code) == (409, "too_many_moves")


def test_both_refuse_a_move_to_a_taken_time(doors: Doors, visit: str, request_: str, amina: Any) -> None:
    taken = {"starts_at": at("10:00", 3).isoformat()}
    no = doors.refuse_change(amina, "patient", visit, "move", "reschedule", taken)
    assert no.status == 409 and no.code in {"taken", "patient_busy"}


def test_both_refuse_to_cancel_twice(doors: Doors, visit: str, amina: Any, client: Any) -> None:
    assert Program(client).as_(amina).post(f"/appointments/{visit}/cancel", {}).status_code == 200
    no = doors.refuse_change(amina, "patient", visit, "cancel", "cancel", _body("cancel"))
    assert (no.status, no.code) == (409, "wrong_state")


# --- deciding ---


@pytest.mark.parametrize("verb", ["confirm", "decline"])
def test_both_refuse_to_decide_what_is_decided(doors: Doors, visit: str, dr_benali: Any, verb: str) -> None:
    no = doors.refuse_change(dr_benali, "doctor", visit, verb, verb, {})
    assert (no.status, no.code) == (409, "wrong_state")


@pytest.mark.parametrize("verb", ["confirm", "decline"])
def test_for_both_another_doctor_s_request_does_not_exist(
    doors: Doors, request_: str, dr_haddad: Any, verb: str
) -> None:
    no = doors.refuse_change(dr_haddad, "doctor", request_, verb, verb, {})
    assert (no.status, no.code) == (404, "not_found")


def test_both_refuse_a_patient_who_decides(doors: Doors, request_: str, amina: Any) -> None:
    no = doors.refuse_change(amina, "doctor", request_, "confirm", "confirm", {})
    assert (no.status, no.code) == (403, "forbidden")


# --- saying yes ---


def test_both_make_the_same_appointment(doors: Doors, amina: Any, yacine: Any, wish: Any) -> None:
    """What differs is whose it is and when, nothing else."""
    made = Program(doors.client).as_(amina).post("/appointments", wish("09:00", reason="Cough"))
    doors.client.sign_in(yacine)
    answer = doors.client.post("/book/details", data=wish("11:00", reason="Cough"))
    assert made.status_code == 201 and answer.status_code == 303
    by_program, by_page = session().query(Appointment).order_by(Appointment.starts_at)
    same = ("status", "mode", "reason", "version", "moves", "price_minor", "currency", "clinic_id", "visit_type_id")
    assert [getattr(by_program, name) for name in same] == [getattr(by_page, name) for name in same]


def _body(verb: str) -> dict[str, Any]:
    return {"code": "other"} if verb == "cancel" else {"starts_at": at("11:00", 3).isoformat()}


# Words of a standard: 412 is HTTP's own refusal of an old version; RFC 6749 names what a token endpoint answers.
OF_A_STANDARD = {"stale_version", "invalid_request", "invalid_client"}


def test_no_door_words_a_refusal_the_domain_makes() -> None:
    """A code has its sentence where the rule is; a door that needs the class for its description imports it."""
    said = re.compile(r"""code\s*=\s*"(\w+)\"""")
    inside = {code for path in (PORTAL / "domain").rglob("*.py") for code in said.findall(path.read_text())}
    for door in ("api", "web"):
        for path in (PORTAL / door).rglob("*.py"):
            declared = re.findall(r"""^    code(?:, status)? = "(\w+)\"""", path.read_text(), re.M)
            assert set(declared) & inside <= OF_A_STANDARD, path
