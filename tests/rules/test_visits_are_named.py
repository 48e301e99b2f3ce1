"""Whatever makes booked visits impossible, or changes what they mean, names them at every door: never in silence.

The table walks every kind of change over both doors: the program is refused with the visits, the page leads to the plan
in which each of them is decided, and neither has changed anything. What the command line and tasks could call is held
by the source: only the verbs that look at visits call the ones that do not.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, select
from sqlalchemy.orm import selectinload

from portal.core import clock
from portal.core.actor import SYSTEM
from portal.core.db import keep, session
from portal.core.events import Event
from portal.domain.changes import applying, kinds, listing, planning
from portal.domain.clinics.models import Clinic, Resource, ResourceGroup
from portal.domain.doctors.models import Practice
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, public_holidays
from portal.domain.scheduling.models import Appointment, Opening, VisitType, visit_type_needs
from tests.api.conftest import Program
from tests.builders import WORKING_WEEK, at, make_opening, register_at, working_day
from tests.rules.source import PORTAL, ROOT

AHEAD, EIGHT, FRIDAY = 3, 8, 4
WITHDRAWING = "portal/domain/scheduling/withdrawing.py"
BLIND = {  # verbs that do not look at visits -> the modules that call them, having looked
    "managing.change": [WITHDRAWING],
    "managing.deactivate": [WITHDRAWING],
    "practices.end": [WITHDRAWING],
    "profiles.withdraw_licence": [WITHDRAWING],
    "profiles.set_active": [WITHDRAWING],
    "profiles.unverify": ["portal/domain/doctors/joining.py"],  # the desks are asked to call: licence_lapsed
    "accounts.deactivate": [WITHDRAWING],
    "accounts.reactivate": [WITHDRAWING],
    "resources.change": ["portal/domain/scheduling/out_of_use.py"],
}
NO_ROUTE = {"opening_moved", "copy_day", "copy_week"}  # a program sends the hours themselves


@dataclass(frozen=True)
class Act:
    """Something that hits visits: the kind of its plan, and how it is asked for at each door; {names} are ids."""

    kind: str
    who: str
    page: str
    form: dict[str, Any] = field(default_factory=dict)
    api: tuple[str, str] | None = None
    body: dict[str, Any] | None = None
    hits: int = 2

    def __str__(self) -> str:
        return self.kind


CLINIC = {
    "name": "Clinique El Djazair", "address": "12 rue Didouche Mourad", "city": "Algiers", "region": "Algiers",
    "postcode": "16000", "phone": "+213 21 00 00 00", "time_zone": "Africa/Algiers", "currency": "DZD", "country": "DZ",
    "quiet_from": "21:00", "quiet_until": "08:00", "late_minutes": 10, "offer_minutes": 30,
}  # fmt: skip
KIND = {
    "name": "Consultation", "mode": "in_person", "duration": 30, "bookable_by": "anyone", "confirms": "at_once",
    "lead_minutes": 120, "horizon_days": 60, "cutoff_minutes": 1440, "most_moves": 3, "most_upcoming": 3,
    "buffer_before": 0, "buffer_after": 0,
}  # fmt: skip
DAY = {"kind": "leave", "first": "{day}", "last": "{day}"}
HOURS = {"weekday": "{weekday}", "ends": "13:00", "visit_type_ids": ["{kind}"]}
SMALLER = {**HOURS, "starts": "08:00", "capacity": 1}
LATER = {**HOURS, "starts": "10:00", "capacity": 2}
ACTS = [
    Act("close_doctor", "doctor", "/doctor/time-off", DAY, ("POST", "/doctors/{doctor}/closures"), DAY),
    Act("close_practice", "doctor", "/doctor/time-off", DAY | {"place": "{practice}"},
        ("POST", "/practices/{practice}/closures"), DAY),
    Act("close_clinic", "admin", "/admin/clinics/{slug}/closures", DAY, ("POST", "/clinics/{clinic}/closures"), DAY),
    Act("holiday", "admin", "/admin/clinics/{slug}/holidays", {"day": "{day}", "name": "Rest"},
        ("POST", "/clinics/{clinic}/holidays"), {"day": "{day}", "name": "Rest"}),
    Act("holidays", "admin", "/admin/clinics/{slug}/holidays/import?year={year}",
        {"year": "{year}", "language": "en", "days": ["{holiday}"]},
        ("POST", "/clinics/{clinic}/public-holidays"), {"year": "{year}", "days": ["{holiday}"]}, hits=1),
    Act("room_closed", "admin", "/admin/resources/{room}/close", {}, ("POST", "/resources/{room}/close"), {}),
    Act("room_changed", "admin", "/admin/resources/{room}", {"name": "Room 1", "places": 1},
        ("PUT", "/resources/{room}"), {"name": "Room 1", "places": 1}, hits=1),
    Act("rooms_ended", "admin", "/admin/rooms/{group}/end", {}, ("DELETE", "/room-groups/{group}")),
    Act("opening_changed", "doctor", "/doctor/openings/{opening}", LATER, ("PUT", "/openings/{opening}"), LATER),
    Act("opening_changed", "doctor", "/doctor/openings/{opening}", SMALLER, ("PUT", "/openings/{opening}"), SMALLER,
        hits=1),
    Act("opening_moved", "doctor", "/doctor/openings/{opening}/stretch", {"starts": "10:00", "ends": "12:00"}),
    Act("opening_break", "doctor", "/doctor/openings/{opening}/break", {"starts": "09:00", "ends": "09:30"},
        ("POST", "/openings/{opening}/breaks"), {"starts": "09:00", "ends": "09:30"}),
    Act("opening_removed", "doctor", "/doctor/openings/{opening}/remove", {}, ("DELETE", "/openings/{opening}")),
    Act("copy_day", "doctor", "/doctor/openings/copy/day?practice={practice}",
        {"weekday": "{friday}", "to": ["{weekday}"], "replace": "y"}),
    Act("copy_week", "doctor", "/doctor/openings/copy/week?practice={practice}",
        {"week": "{past}", "to_practice_id": "{practice}", "first": "{day}", "last": "{day}", "replace": "y"}),
    Act("practice_ended", "admin", "/admin/practices/{practice}/end", {}, ("DELETE", "/practices/{practice}"), hits=3),
    Act("licence_ended", "admin", "/admin/doctors/{doctor_slug}/withdraw", {}, ("POST", "/doctors/{doctor}/withdraw"),
        hits=3),
    Act("account_shut", "superadmin", "/admin/users/{user}/deactivate", {}, ("POST", "/users/{user}/deactivate"),
        hits=3),
    Act("visit_type_off", "admin", "/admin/visit-types/{kind}", KIND,
        ("PUT", "/visit-types/{kind}"), KIND | {"is_active": False}, hits=3),
    Act("clinic_changed", "admin", "/admin/clinics/{slug}/edit",
        CLINIC | {"address": "1 rue Larbi Ben M'hidi"},
        ("PUT", "/clinics/{clinic}"), CLINIC | {"address": "1 rue Larbi Ben M'hidi"},
        hits=3),
    Act("clinic_changed", "superadmin", "/admin/clinics/{slug}/edit", CLINIC | {"time_zone": "Europe/Paris"},
        ("PUT", "/clinics/{clinic}"), CLINIC | {"time_zone": "Europe/Paris"}, hits=3),
    Act("clinic_ended", "superadmin", "/admin/clinics/{slug}/deactivate", {}, ("POST", "/clinics/{clinic}/deactivate"),
        hits=3),
]  # fmt: skip


@pytest.fixture
def ids(dr_benali: Any, el_djazair: Any, amina: Any, yacine: Any, nadia: Any) -> dict[str, Any]:
    """Two patients come at nine, into the same room; one of them comes on a public holiday, too."""
    here = session()
    clinic = here.get_one(Clinic, el_djazair.clinic_id)
    kind = here.get_one(VisitType, el_djazair.consultation_id, options=[selectinload(VisitType.needs)])
    room = Resource(name="Room 1", places=2)
    group = ResourceGroup(clinic_id=clinic.id, kind="room", name="Rooms", resources=[room])
    here.add(group)
    kind.needs = [group]
    day, practice = working_day(AHEAD), here.get_one(Practice, dr_benali.practice_id)
    openings = list(here.scalars(select(Opening).where(Opening.practice_id == practice.id)))
    for opening in openings:
        opening.capacity, opening.valid_from = 2, clock.today(clinic.zone)
    past = day - timedelta(days=28)
    make_opening(practice, [kind], on_date=past, starts="13:00", ends="15:00")
    make_opening(practice, [kind], weekday=FRIDAY, starts="13:00", ends="15:00", valid_from=clock.today(clinic.zone))
    for person in (amina, yacine):
        register_at(here.get_one(Patient, person.patient_id), clinic)
    keep()
    wanted = {"practice_id": practice.id, "visit_type_id": kind.id}
    visits = [booking.book(person.actor, starts_at=at("09:00", AHEAD), **wanted).id for person in (amina, yacine)]
    here.execute(delete(visit_type_needs))  # so that the rooms can be removed; the two visits have theirs
    holiday = _holiday(clinic, day)
    ahead = (holiday - clock.today(clinic.zone)).days
    booking.book(nadia.actor, patient_id=amina.patient_id, starts_at=at("09:00", ahead), **wanted)
    keep()
    return {
        "doctor": dr_benali.doctor_id, "doctor_slug": dr_benali.slug, "practice": practice.id, "clinic": clinic.id,
        "slug": el_djazair.slug, "kind": kind.id, "group": group.id, "room": room.id, "day": day,
        "opening": next(one.id for one in openings if one.weekday == day.weekday() and one.starts.hour == EIGHT),
        "user": dr_benali.user_id, "weekday": day.weekday(), "holiday": holiday, "year": holiday.year, "past": past,
        "friday": FRIDAY, "visit": visits[0],
    }  # fmt: skip


@pytest.mark.parametrize("act", ACTS, ids=str)
def test_what_hits_visits_names_them_at_both_doors_and_changes_nothing(act, ids, client, dr_benali, admin, superadmin):
    who = {"doctor": dr_benali, "admin": admin, "superadmin": superadmin}[act.who]
    before = _everything()
    if act.api:
        method, path = act.api
        said = Program(client).as_(who).send(method, filled(path, ids), filled(act.body, ids))
        assert (said.status_code, said.json["code"]) == (409, "visits_affected"), said.get_data(as_text=True)
        assert (said.json["count"], len(said.json["visits"])) == (act.hits, act.hits)
    else:
        assert act.kind in NO_ROUTE
    assert _everything() == before
    client.sign_in(who)
    answer = client.post(filled(act.page, ids), data=filled(act.form, ids))
    assert (answer.status_code, "/changes/" in (answer.location or "")) == (303, True), answer.get_data(as_text=True)
    assert client.get(answer.location).status_code == 200
    assert _everything() == before
    plan = UUID(answer.location.rsplit("/", 1)[1])
    lines = listing.show(SYSTEM, plan).lines
    assert (listing.show(SYSTEM, plan).kind.name, len(lines)) == (act.kind, act.hits)


@pytest.mark.parametrize("kind", ["practice_ended", "licence_ended", "account_shut", "visit_type_off", "clinic_ended"])
def test_a_visit_that_is_kept_is_still_seen_and_moved_only_where_it_can_be(
    kind, ids, client, admin, superadmin, amina, nadia
):
    act = next(one for one in ACTS if one.kind == kind)
    of = ids[{"practice_ended": "practice", "licence_ended": "doctor", "account_shut": "user"}.get(kind, "clinic")]
    about = KIND | {"is_active": False} if kind == "visit_type_off" else {}
    who = admin if act.who == "admin" else superadmin
    plan = planning.plan(who.actor, kind, ids["kind"] if about else of, **about)
    applying.apply(who.actor, plan.id, {line.proposal.id: "keep" for line in listing.show(SYSTEM, plan.id).lines})
    keep()
    for person, page in ((amina, "patient"), (nadia, "desk"), (superadmin, "desk")):
        client.sign_in(person)
        seen = client.get(f"/{page}/appointments/{ids['visit']}")
        move = f"/{page}/appointments/{ids['visit']}/move"
        assert (seen.status_code, f'href="{move}"' in seen.text) == (200, False)
        assert client.get(move).status_code == 409
    for person in (amina, superadmin):
        api = Program(client).as_(person)
        assert api.get(f"/appointments/{ids['visit']}").json["status"] == "confirmed"
        said = api.post(f"/appointments/{ids['visit']}/reschedule", {"starts_at": at("10:00", AHEAD).isoformat()})
        assert (said.status_code, said.json["code"]) == (409, "not_given")


def test_every_kind_of_change_is_walked():
    assert {act.kind for act in ACTS} == set(kinds.known())


def test_what_does_not_look_at_visits_is_called_by_what_does_alone():
    called = re.compile(r"\b(" + "|".join(map(re.escape, BLIND)) + r")\(")
    found = {
        (name, path.relative_to(ROOT).as_posix())
        for path in PORTAL.rglob("*.py")
        for name in called.findall(path.read_text(encoding="utf-8"))
    }
    assert found == {(name, module) for name, callers in BLIND.items() for module in callers}


def _holiday(clinic: Clinic, but: date) -> date:
    """A public holiday on which the doctor would receive, on another day of the week."""
    year = clock.today(clinic.zone).year + 1
    days = [one.day for one in public_holidays.of_year(SYSTEM, clinic.id, year, "en")]
    return next(day for day in days if day.weekday() in set(WORKING_WEEK) - {but.weekday()})


def _everything() -> tuple[Any, ...]:
    """The visits, and what has happened so far."""
    session().rollback()
    visits = select(Appointment.id, Appointment.status, Appointment.starts_at, Appointment.version)
    rows = tuple(session().execute(visits.order_by(Appointment.id)).all())
    return rows, session().scalar(
        select(func.count()).select_from(Event).where(~Event.name.regexp_match("^(session|tokens?|program|change)[.]"))
    )


def filled(said: Any, ids: dict[str, Any]) -> Any:
    """What is asked with the ids of this world in it."""
    if isinstance(said, dict):
        return {name: filled(value, ids) for name, value in said.items()}
    if isinstance(said, list):
        return [filled(value, ids) for value in said]
    if not isinstance(said, str):
        return said
    if (whole := re.fullmatch(r"\{(\w+)\}", said)) and isinstance(ids[whole[1]], int):
        return ids[whole[1]]
    return said.format_map(ids)
