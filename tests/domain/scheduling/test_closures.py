"""Time off: where it counts, who may take it, and the visits booked in it."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.scheduling import availability, booking, closures
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import Closure
from tests.builders import at, make_practice, working_day


def day_off(**more: Any) -> dict[str, Any]:
    """A ClosureShape's values for the day tests book on."""
    return {"first": working_day(), "last": working_day(), **more}


def test_leave_takes_the_whole_day_at_every_clinic(dr_benali: Any, el_djazair: Any) -> None:
    closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, **day_off())
    assert _free(dr_benali, el_djazair) == []


def test_a_block_of_some_hours_leaves_the_others_free(dr_benali: Any, el_djazair: Any) -> None:
    before = _free(dr_benali, el_djazair)
    blocked = day_off(kind="blocked", starts=time(8), ends=time(10))
    closures.close_practice(dr_benali.actor, dr_benali.practice_id, **blocked)
    assert [slot for slot in before if slot < at("08:00") or slot >= at("10:00")] == _free(dr_benali, el_djazair)


def test_time_off_ends_at_midnight_when_the_end_says_so(dr_benali: Any) -> None:
    made = closures.close_practice(
        dr_benali.actor, dr_benali.practice_id, **day_off(kind="blocked", starts=time(18), ends=time(0))
    )
    assert made.ends_at - made.starts_at == timedelta(hours=6)


def test_the_last_day_counts(dr_benali: Any) -> None:
    first = date(2031, 3, 1)
    made = closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, first=first, last=first + timedelta(days=6))
    assert made.ends_at - made.starts_at == timedelta(days=7)


def test_time_off_over_a_booked_visit_is_refused_and_names_it(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    for close in (
        lambda: closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, **day_off()),
        lambda: closures.close_practice(dr_benali.actor, dr_benali.practice_id, **day_off()),
    ):
        with pytest.raises(VisitsAffected) as no:
            close()
        assert no.value.facts["visits"] == [visit.id]


def test_visits_stand_when_they_are_to_be_kept(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, **day_off(keep_visits=True))
    assert visit.status == "confirmed"
    assert _free(dr_benali, el_djazair) == []


def test_time_off_beside_a_visit_hits_nothing(dr_benali: Any, amina: Any, el_djazair: Any) -> None:
    _booked(amina, dr_benali, el_djazair)
    until = day_off(kind="blocked", starts=time(8), ends=time(9))
    assert closures.close_practice(dr_benali.actor, dr_benali.practice_id, **until).kind == "blocked"


def test_time_that_is_over_is_refused(dr_benali: Any) -> None:
    with pytest.raises(Invalid):
        closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, first=date(2020, 1, 1), last=date(2020, 1, 2))


@pytest.mark.parametrize(
    ("who", "refusal"),
    [
        ("dr_benali", None), ("nadia", None), ("admin", None), ("superadmin", None), ("dr_haddad", NotFound),
        ("kamel", NotFound), ("amina", NotFound),
    ],
)  # fmt: skip
def test_who_may_send_a_doctor_on_leave(request: Any, dr_benali: Any, who: str, refusal: Any) -> None:
    person = request.getfixturevalue(who)
    if refusal is None:
        made = closures.close_doctor(person.actor, dr_benali.doctor_id, **day_off())
        closures.reopen(person.actor, made.id)
        assert session().get(Closure, made.id) is None
    else:
        with pytest.raises(refusal):
            closures.close_doctor(person.actor, dr_benali.doctor_id, **day_off())


def test_one_clinics_desk_does_not_close_a_doctor_who_works_elsewhere_too(
    dr_benali: Any, nadia: Any, wahran: Any
) -> None:
    from portal.domain.doctors.models import Doctor

    make_practice(session().get_one(Doctor, dr_benali.doctor_id), session().get_one(Clinic, wahran.clinic_id))
    keep()
    with pytest.raises(Forbidden):
        closures.close_doctor(nadia.actor, dr_benali.doctor_id, **day_off())
    assert closures.close_practice(nadia.actor, dr_benali.practice_id, **day_off(kind="blocked")).practice_id


def test_a_stranger_does_not_reopen_a_doctors_time(dr_benali: Any, dr_haddad: Any) -> None:
    made = closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, **day_off())
    with pytest.raises(NotFound):
        closures.reopen(dr_haddad.actor, made.id)


def test_a_doctor_sees_own_time_off_and_the_clinics(dr_benali: Any, admin: Any, el_djazair: Any) -> None:
    closures.close_doctor(dr_benali.actor, dr_benali.doctor_id, **day_off(note="wedding"))
    closures.close_clinic(admin.actor, el_djazair.clinic_id, **day_off(kind="blocked"))
    found = closures.of_doctor(dr_benali.actor, dr_benali.doctor_id)
    assert [(off.is_own, off.place) for off in found] == [(True, ""), (False, el_djazair.name)]
    assert closures.of_doctor(dr_benali.actor, dr_benali.doctor_id, past=True) == []


def test_a_holiday_closes_every_doctor_of_the_clinic(dr_benali: Any, admin: Any, el_djazair: Any) -> None:
    made = closures.add_holiday(admin.actor, el_djazair.clinic_id, day=working_day(), name="Eid")
    assert _free(dr_benali, el_djazair) == []
    closures.remove_holiday(admin.actor, made.id)
    assert session().get(Holiday, made.id) is None
    assert _free(dr_benali, el_djazair)


def test_a_holiday_over_booked_visits_is_refused_unless_they_are_kept(
    dr_benali: Any, amina: Any, admin: Any, el_djazair: Any
) -> None:
    visit = _booked(amina, dr_benali, el_djazair)
    with pytest.raises(VisitsAffected) as no:
        closures.add_holiday(admin.actor, el_djazair.clinic_id, day=working_day(), name="Eid")
    assert no.value.facts["visits"] == [visit.id]
    closures.add_holiday(admin.actor, el_djazair.clinic_id, day=working_day(), name="Eid", keep_visits=True)


def test_a_day_is_a_holiday_once(admin: Any, el_djazair: Any) -> None:
    closures.add_holiday(admin.actor, el_djazair.clinic_id, day=date(2031, 7, 5), name="Independence")
    with pytest.raises(Conflict):
        closures.add_holiday(admin.actor, el_djazair.clinic_id, day=date(2031, 7, 5), name="Independence")


def test_a_past_day_is_no_holiday(admin: Any, el_djazair: Any) -> None:
    with pytest.raises(Invalid):
        closures.add_holiday(admin.actor, el_djazair.clinic_id, day=date(2020, 7, 5), name="Independence")


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "kamel", "amina"])
def test_only_admins_of_the_clinic_set_its_holidays(request: Any, dr_benali: Any, el_djazair: Any, who: str) -> None:
    actor = request.getfixturevalue(who).actor
    with pytest.raises(NotFound):
        closures.add_holiday(actor, el_djazair.clinic_id, day=date(2031, 7, 5), name="Independence")
    with pytest.raises(NotFound):
        closures.close_clinic(actor, el_djazair.clinic_id, **day_off())


def _free(doctor: Any, place: Any) -> list[Any]:
    day = working_day()
    found = availability.offers(doctor.actor, doctor.practice_id, place.consultation_id, day, day)
    return [slot.starts_at for slot in found]


def _booked(patient: Any, doctor: Any, place: Any) -> Any:
    made = booking.book(
        patient.actor, practice_id=doctor.practice_id, visit_type_id=place.consultation_id, starts_at=at("09:00")
    )
    keep()
    return made
