"""Dates of people are those of where they are, and what follows from a birth date follows it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.errors import Invalid
from portal.domain.clinics.models import Clinic
from portal.domain.identity.models import User
from portal.domain.patients import care, deciding, desk, family, joining, profiles
from portal.domain.patients.family_shapes import CareShape, DependantShape
from portal.domain.patients.models import Delegation, Patient
from portal.domain.patients.shapes import PatientDetails
from tests.builders import actor_of, make_member, make_patient, make_user, register_at

AFTER_MIDNIGHT = datetime(2026, 12, 1, 23, 30, tzinfo=UTC)  # 00:30 on 2 December in Algiers, 08:30 in Tokyo
BORN, LATER = date(2015, 6, 1), date(2017, 6, 1)
NEVER_ASKED: dict[str, Any] = {
    "sex": "unknown", "phone": "", "address": "", "city": "", "blood_group": None, "conditions": [],
    "contact_name": "", "contact_phone": "", "contact_relation": "",
}  # fmt: skip


def eve(born: date) -> date:
    return care.of_age_on(born) - timedelta(days=1)


def child_of(person: Any, born: date = BORN) -> Delegation:
    made = family.add_dependant(person.actor, given_name="Ilyes", family_name="Boudiaf", birth_date=born)
    keep()
    return made


def corrected(person: Any, held: Delegation, born: date | None) -> None:
    profiles.change(person.actor, held.patient_id, birth_date=born, **NEVER_ASKED)
    keep()


def test_a_child_of_tonight_is_born_today_and_not_in_the_future(standing_at: Any) -> None:
    for moment, day in (
        (AFTER_MIDNIGHT, date(2026, 12, 2)),
        (datetime(2026, 12, 1, 15, 30, tzinfo=UTC), date(2026, 12, 2)),
    ):
        with standing_at(moment):  # the second is 00:30 in Tokyo, whose clinic enters the newborn
            assert PatientDetails.parse({"birth_date": day}).birth_date == day
            child = {"given_name": "A", "family_name": "B", "birth_date": day}
            assert DependantShape.parse(child).birth_date == day
            with pytest.raises(Invalid):
                PatientDetails.parse({"birth_date": day + timedelta(days=1)})


def test_a_day_that_lasts_somewhere_is_not_over(standing_at: Any) -> None:
    with standing_at(datetime(2026, 12, 2, 4, 0, tzinfo=UTC)):  # 23:00 on 1 December in New York
        asked = {"email": "a@example.dz", "until": "2026-12-01"}
        assert CareShape.parse(asked).until == date(2026, 12, 1)
        with pytest.raises(Invalid):
            CareShape.parse(asked | {"until": "2026-11-30"})


def test_an_age_grows_at_the_portal_s_midnight(standing_at: Any) -> None:
    with standing_at(AFTER_MIDNIGHT):
        assert Patient(birth_date=date(2000, 12, 2)).age == 26
        assert Patient(birth_date=date(2000, 12, 3)).age == 25
        assert Patient(birth_date=date(2026, 12, 3)).age == 0


def test_care_that_begins_after_midnight_counts_at_once_and_until_the_end_of_its_last_day(
    database: Any, amina: Any, standing_at: Any
) -> None:
    with standing_at(AFTER_MIDNIGHT):
        held = child_of(amina)
        assert held.starts_on == date(2026, 12, 2)
        assert held.patient_id in amina.actor.cares_for("view")
        assert family.mine(amina.actor) == [held]
    held.ends_on = date(2026, 12, 3)
    session().flush()
    for moment, lasts in (
        (datetime(2026, 12, 3, 22, 30, tzinfo=UTC), True),
        (datetime(2026, 12, 3, 23, 30, tzinfo=UTC), False),
    ):
        with standing_at(moment):
            assert (held.patient_id in amina.actor.cares_for("view")) is lasts
            assert bool(family.mine(amina.actor)) is lasts


def test_care_in_the_part_of_a_clinic_goes_by_that_clinic_s_date(
    database: Any, amina: Any, yacine: Any, el_djazair: Any, standing_at: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    clinic.time_zone = "Asia/Tokyo"
    patient, user = make_patient(), session().get_one(User, amina.user_id)
    with standing_at(datetime(2026, 12, 1, 15, 30, tzinfo=UTC)):  # 2 December there, 1 December at home
        held = care.begin(
            yacine.actor,
            patient,
            user,
            relation="parent",
            scopes=["view"],
            until=date(2026, 12, 2),
            clinic_id=clinic.id,
        )
        keep()
        assert held.starts_on == date(2026, 12, 2)
        assert (patient.id, clinic.id) in amina.actor.parts("view")
    with standing_at(datetime(2026, 12, 2, 15, 30, tzinfo=UTC)):  # the 3rd there, the 2nd at home
        assert (patient.id, clinic.id) not in amina.actor.parts("view")


# --- what follows from a birth date ---


def test_the_end_of_care_follows_the_birth_date_both_ways(database: Any, amina: Any) -> None:
    held = child_of(amina)
    for born in (LATER, BORN, None, LATER):
        corrected(amina, held, born)
        assert held.ends_on == (born and eve(born))


def test_an_end_that_was_asked_for_stays_however_the_birth_date_changes(database: Any, amina: Any) -> None:
    held = child_of(amina)
    asked = eve(BORN) + timedelta(days=100)
    family.change(amina.actor, held.id, scopes=["view", "book", "profile"], until=eve(BORN) - timedelta(days=5))
    held.asked_until = asked
    corrected(amina, held, LATER)
    assert held.ends_on == asked
    corrected(amina, held, BORN)
    assert held.ends_on == eve(BORN)


def test_a_slip_of_the_pen_does_not_put_a_mother_out(database: Any, amina: Any) -> None:
    held = child_of(amina)
    with pytest.raises(Invalid) as refused:
        corrected(amina, held, date(1915, 6, 1))
    assert set(refused.value.fields) == {"birth_date"}
    assert family.mine(amina.actor) == [held]


def test_an_adult_is_in_nobody_s_care_as_a_child(database: Any, amina: Any, nadia: Any) -> None:
    held = child_of(amina)
    patient = session().get_one(Patient, held.patient_id)
    before, patient.birth_date = patient.birth_date, date(1990, 1, 1)
    care.follow_age(nadia.actor, patient, before)
    assert held.ended_at is not None
    assert family.mine(amina.actor) == []


@pytest.mark.parametrize("way", ["paper", "taken back", "joined", "desk"])
def test_every_way_in_which_a_birth_date_changes_moves_the_end(
    database: Any, amina: Any, nadia: Any, el_djazair: Any, way: str
) -> None:
    held = child_of(amina)
    patient = session().get_one(Patient, held.patient_id)
    here, rachid = session().get_one(Clinic, el_djazair.clinic_id), make_user("Rachid", "Amrani")
    register_at(patient, here)
    make_member(rachid, here)
    if way in {"joined", "desk"}:
        patient.birth_date, held.ends_on = None, None
        session().flush()
    if way == "joined":
        other = make_patient(birth_date=LATER, phone="")
        joining.join(nadia.actor, held.patient_id, other.id, None)
    else:
        about = {"given_name": "Ilyes", "family_name": "Boudiaf", "birth_date": LATER}
        _patient, request = desk.change(nadia.actor, held.patient_id, on_paper=way != "desk", **about)
        if way != "desk":
            assert request is not None
            deciding.confirm(actor_of(rachid), request.id)
    keep()
    session().refresh(held)
    assert held.ends_on == eve(LATER)
    if way == "taken back":
        deciding.dispute(amina.actor, request.id)
        keep()
        session().refresh(held)
        assert held.ends_on == eve(BORN)
