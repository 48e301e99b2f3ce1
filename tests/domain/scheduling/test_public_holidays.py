"""Public holidays of a clinic's country, taken over by its admins; visits booked then are not forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic, Holiday
from portal.domain.scheduling import availability, booking, closures, public_holidays
from portal.domain.scheduling.impact import VisitsAffected
from tests.builders import ALGIERS

YEAR = 2031
INDEPENDENCE = date(YEAR, 7, 5)


@pytest.fixture
def in_june(standing_at: Any) -> Iterator[None]:
    """The second of June 2031."""
    with standing_at(datetime(YEAR, 6, 2, 9, tzinfo=ALGIERS)):
        yield


def test_the_holidays_of_a_year_say_what_is_there_and_what_is_over(in_june: Any, admin: Any, el_djazair: Any) -> None:
    closures.add_holiday(admin.actor, el_djazair.clinic_id, day=INDEPENDENCE, name="Independence")
    found = {one.day: one for one in public_holidays.of_year(admin.actor, el_djazair.clinic_id, YEAR, "en")}
    assert (found[INDEPENDENCE].is_there, found[INDEPENDENCE].is_open) == (True, False)
    assert (found[date(YEAR, 5, 1)].is_over, found[date(YEAR, 5, 1)].is_open) == (True, False)
    assert found[date(YEAR, 11, 1)].is_open
    assert list(found) == sorted(found)


@pytest.mark.parametrize(
    ("language", "name"), [("en", "Independence Day"), ("fr", "Fête de l'Indépendance"), ("ar", "عيد الاستقلال")]
)
def test_names_come_in_our_languages(in_june: Any, admin: Any, el_djazair: Any, language: str, name: str) -> None:
    found = {one.day: one.name for one in public_holidays.of_year(admin.actor, el_djazair.clinic_id, YEAR, language)}
    assert found[INDEPENDENCE] == name
    assert public_holidays.languages("DZ") == ["en", "fr", "ar"]


def test_a_country_that_is_not_known_has_none(in_june: Any, admin: Any, el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).country = "AC"
    keep()
    assert public_holidays.languages("AC") == []
    assert public_holidays.of_year(admin.actor, el_djazair.clinic_id, YEAR, "en") == []


def test_ticked_days_close_the_clinic_and_others_are_left_out(in_june: Any, admin: Any, el_djazair: Any) -> None:
    closures.add_holiday(admin.actor, el_djazair.clinic_id, day=INDEPENDENCE, name="Ours")
    wanted = [INDEPENDENCE, date(YEAR, 5, 1), date(YEAR, 11, 1)]
    made = public_holidays.take_over(admin.actor, el_djazair.clinic_id, year=YEAR, language="fr", days=wanted)
    assert [(one.day, one.name) for one in made] == [(date(YEAR, 11, 1), "Fête de la Révolution")]
    assert [one.name for one in managing.holidays(admin.actor, el_djazair.clinic_id)] == [
        "Ours",
        "Fête de la Révolution",
    ]


@pytest.mark.parametrize(
    "about",
    [
        {"days": []},
        {"days": [date(YEAR, 7, 6)]},
        {"days": [INDEPENDENCE], "year": 1999},
        {"days": [INDEPENDENCE], "language": "xx"},
    ],
)
def test_what_is_no_public_holiday_is_not_taken_over(
    in_june: Any, admin: Any, el_djazair: Any, about: dict[str, Any]
) -> None:
    with pytest.raises(Invalid):
        public_holidays.take_over(admin.actor, el_djazair.clinic_id, **{"year": YEAR, **about})
    assert session().query(Holiday).count() == 0


def test_a_holiday_over_booked_visits_names_those_of_all_days(
    in_june: Any, admin: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    awal = next(
        one.day
        for one in public_holidays.of_year(admin.actor, el_djazair.clinic_id, YEAR, "en")
        if one.is_open
        and availability.offers(amina.actor, dr_benali.practice_id, el_djazair.consultation_id, one.day, one.day)
    )
    visit = booking.book(
        amina.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=datetime.combine(awal, time(9), ALGIERS),
    )
    keep()
    about = {"year": YEAR, "days": [awal, date(YEAR, 11, 1)]}
    with pytest.raises(VisitsAffected) as no:
        public_holidays.take_over(admin.actor, el_djazair.clinic_id, **about)
    assert no.value.facts["visits"] == [visit.id]
    assert session().query(Holiday).count() == 0
    assert len(public_holidays.take_over(admin.actor, el_djazair.clinic_id, keep_visits=True, **about)) == 2
    assert visit.status == "confirmed"


def test_holidays_are_the_admins_of_the_clinic(
    in_june: Any, admin: Any, nadia: Any, dr_benali: Any, wahran: Any, el_djazair: Any
) -> None:
    for who, place in ((admin, wahran), (nadia, el_djazair), (dr_benali, el_djazair)):
        with pytest.raises(NotFound):
            public_holidays.of_year(who.actor, place.clinic_id, YEAR, "en")
        with pytest.raises(NotFound):
            public_holidays.take_over(who.actor, place.clinic_id, year=YEAR, days=[INDEPENDENCE])
        with pytest.raises(NotFound):
            public_holidays.closed_for(who.actor, place.clinic_id)


def test_the_clinics_closed_hours_are_listed_until_they_are_over(admin: Any, el_djazair: Any) -> None:
    today = clock.today(ALGIERS)
    later, sooner = (
        closures.close_clinic(admin.actor, el_djazair.clinic_id, kind="holiday", first=day, last=day)
        for day in (today + timedelta(days=9), today + timedelta(days=5))
    )
    found = public_holidays.closed_for(admin.actor, el_djazair.clinic_id)
    assert [one.id for one in found] == [sooner.id, later.id]
