"""The directory: who matches, in which order, and who never appears."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.actor import NOBODY
from portal.core.errors import Invalid, NotFound
from portal.core.text import language
from portal.domain.doctors import cards, directory
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import by_time, finding
from tests.builders import (
    ALGIERS,
    make_clinic,
    make_closure,
    make_doctor,
    make_opening,
    make_practice,
    make_specialty,
    make_user,
    make_visit_type,
    make_week,
    working_day,
)


def names(**asked: Any) -> list[str]:
    """The family names found, in order."""
    return [found.doctor.name.split()[-1] for found in finding.search(NOBODY, DirectoryQuery(**asked)).items]


@pytest.fixture
def town(dr_benali: Any, dr_haddad: Any) -> None:
    """Dr Benali in Algiers and Dr Haddad in Oran."""


def receives(given: str, family: str, clinic: Any, **more: Any) -> Any:
    """A doctor with a whole week at this clinic."""
    doctor = make_doctor(make_user(given, family), **more)
    practice = make_practice(doctor, clinic)
    make_week(practice, [make_visit_type(clinic)])
    return doctor


@pytest.mark.usefixtures("town")
def test_without_filters_every_public_doctor_is_there() -> None:
    assert sorted(names()) == ["Benali", "Haddad"]


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize(
    "asked",
    [
        {"specialty": "cardiology"},
        {"city": "Algiers"},
        {"city": "algiers"},
        {"gender": "female"},
        {"name": "benali"},
        {"name": "samira benali"},
        {"name": "Sámirâ"},
    ],
)
def test_a_filter_leaves_only_those_who_match(asked: dict[str, str]) -> None:
    assert names(**asked) == ["Benali"]


@pytest.mark.usefixtures("town")
def test_filters_all_have_to_hold() -> None:
    assert names(specialty="cardiology", city="Oran") == []


def test_a_clinic_is_a_filter(dr_benali: Any, dr_haddad: Any, wahran: Any) -> None:
    assert names(clinic=wahran.slug) == ["Haddad"]


def test_a_language_is_a_filter(dr_benali: Any) -> None:
    make_practice_of = make_clinic("Clinique Nord")
    receives("Ines", "Berber", make_practice_of, languages=["kab"])
    assert names(language="kab") == ["Berber"]


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("typed", ["benalli", "benaly", "samirra benali", "ben ali"])
def test_a_mistyped_name_is_found(typed: str) -> None:
    assert names(name=typed) == ["Benali"]


@pytest.mark.usefixtures("town")
def test_a_name_nobody_has_finds_nobody() -> None:
    assert names(name="xyzzyq") == []


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("typed", ["%", "_", "!!", "' OR 1=1 --"])
def test_signs_in_a_name_mean_nothing(typed: str) -> None:
    assert names(name=typed) == []


def test_an_exact_name_is_not_mixed_with_similar_ones(dr_benali: Any, el_djazair: Any) -> None:
    clinic = make_clinic("Clinique Sud")
    receives("Amel", "Benalia", clinic)
    assert sorted(names(name="benali")) == ["Benali", "Benalia"]
    assert names(name="benalia") == ["Benalia"]


def test_an_arabic_name_is_found_however_its_alif_is_written(database: Any) -> None:
    clinic = make_clinic("Clinique Est")
    doctor = receives("أحمد", "بن علي", clinic)
    assert finding.search(NOBODY, DirectoryQuery(name="احمد")).items[0].doctor.id == doctor.id


def test_who_is_not_verified_or_not_active_never_appears(database: Any) -> None:
    clinic = make_clinic("Clinique Ouest")
    receives("Un", "Verified", clinic, verified=False)
    receives("In", "Active", clinic, is_active=False)
    assert names() == []
    assert directory.search(NOBODY, DirectoryQuery()).items == []
    assert cards.facets(NOBODY).cities == ()


def test_who_receives_nowhere_open_does_not_appear(database: Any) -> None:
    closed = make_clinic("Clinique Close", is_active=False)
    receives("No", "Where", closed)
    make_practice(make_doctor(make_user("Left", "Already")), make_clinic("Clinique X"), is_active=False)
    assert names() == []


def test_the_soonest_comes_first(dr_benali: Any, dr_haddad: Any) -> None:
    away_until = clock.now() + timedelta(days=20)
    make_closure(clock.now(), away_until, doctor_id=dr_benali.doctor_id)
    assert names() == ["Haddad", "Benali"]
    make_closure(clock.now(), away_until + timedelta(days=9), doctor_id=dr_haddad.doctor_id)
    assert names(sort="soonest") == ["Benali", "Haddad"]


def test_a_doctor_without_free_times_comes_last_and_says_so(dr_haddad: Any) -> None:
    clinic = make_clinic("Clinique Vide")
    make_practice(make_doctor(make_user("Aa", "Aaa")), clinic)
    answer = finding.search(NOBODY, DirectoryQuery())
    assert [found.doctor.name.split()[-1] for found in answer.items] == ["Haddad", "Aaa"]
    assert len(answer.items[0].times) == 3
    assert answer.items[1].times == ()


def test_free_before_a_date_leaves_out_who_is_free_later(dr_benali: Any, dr_haddad: Any) -> None:
    day = working_day(2)
    make_closure(clock.now(), clock.now() + timedelta(days=30), doctor_id=dr_benali.doctor_id)
    assert names(before=day.isoformat()) == ["Haddad"]
    assert names(before=day.isoformat(), sort="name") == ["Haddad"]
    assert names(before=(clock.now() - timedelta(days=2)).date().isoformat()) == []


def test_by_name_is_by_family_name(dr_benali: Any, dr_haddad: Any) -> None:
    assert names(sort="name") == ["Benali", "Haddad"]


def test_by_distance_from_a_point(dr_benali: Any, dr_haddad: Any) -> None:
    assert names(sort="distance", latitude=35.7, longitude=-0.6) == ["Haddad", "Benali"]
    found = finding.search(NOBODY, DirectoryQuery(sort="distance", latitude=35.6971, longitude=-0.6308)).items
    assert found[0].doctor.metres == 0
    assert found[1].doctor.metres == pytest.approx(352_000, rel=0.02)


def test_by_distance_from_a_city_shows_its_surroundings_only(dr_benali: Any, dr_haddad: Any) -> None:
    receives("Near", "Blida", make_clinic("Clinique Blida", city="Blida", latitude=36.47, longitude=2.83))
    assert names(sort="distance", city="Algiers") == ["Benali", "Blida"]


def test_only_who_gives_that_mode(dr_benali: Any) -> None:
    clinic = make_clinic("Clinique Sans Video")
    receives("No", "Video", clinic)
    assert names(mode="video") == ["Benali"]
    assert names(mode="phone") == []
    found = finding.search(NOBODY, DirectoryQuery(mode="video")).items[0]
    assert (found.times[0].ends_at - found.times[0].starts_at) == timedelta(minutes=15)


def test_a_visit_type_the_openings_do_not_take_does_not_count(database: Any) -> None:
    clinic = make_clinic("Clinique Choisie")
    make_visit_type(clinic, "Video", mode="video")
    practice = make_practice(make_doctor(make_user("Only", "Rooms")), clinic)
    make_opening(practice, [make_visit_type(clinic)], 0)
    assert names(mode="video") == []


def test_only_the_times_of_the_practices_that_match_are_shown(dr_benali: Any, wahran: Any, database: Any) -> None:
    from portal.domain.clinics.models import Clinic
    from portal.domain.doctors.models import Doctor

    oran = database.get(Clinic, wahran.clinic_id)
    second = make_practice(database.get(Doctor, dr_benali.doctor_id), oran)
    make_week(second, [make_visit_type(oran)])
    found = finding.search(NOBODY, DirectoryQuery(city="Oran")).items[0]
    assert {slot.practice_id for slot in found.times} == {second.id}
    assert found.doctor.practices[0].id == second.id
    assert len(found.doctor.practices) == 2


@pytest.mark.parametrize("order", ["soonest", "name", "distance"])
def test_pages_follow_each_other_without_gap_or_repetition(database: Any, order: str) -> None:
    clinic = make_clinic("Clinique Longue")
    kind = make_visit_type(clinic)
    for number in range(7):
        make_week(make_practice(make_doctor(make_user("Dr", f"Number{number}")), clinic), [kind])
    asked = {"sort": order, "limit": 3, "latitude": 36.0, "longitude": 3.0}
    seen, after = [], None
    while True:
        answer = finding.search(NOBODY, DirectoryQuery(**asked, after=after))
        seen += [found.doctor.id for found in answer.items]
        after = answer.next
        if not after:
            break
    assert len(seen) == len(set(seen)) == 7


@pytest.mark.usefixtures("town")
@pytest.mark.parametrize("order", ["soonest", "name"])
@pytest.mark.parametrize("cursor", ["nonsense", "e30", "WzEsMiwzXQ", "WzEsMl0", "WyJhIiwiYiIsImMiXQ"])
def test_a_cursor_that_is_not_ours_is_refused(order: str, cursor: str) -> None:
    with pytest.raises(Invalid):
        finding.search(NOBODY, DirectoryQuery(sort=order, after=cursor))


@pytest.mark.usefixtures("town")
def test_very_many_matches_are_cut_and_the_answer_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_time, "MOST", 1)
    monkeypatch.setattr(by_time, "BATCH", 1)
    answer = finding.search(NOBODY, DirectoryQuery())
    assert answer.is_cut
    assert len(answer.items) == 1


@pytest.mark.parametrize(
    "asked",
    [
        {"gender": "robot"},
        {"mode": "by_owl"},
        {"sort": "random"},
        {"before": "31/12/26"},
        {"latitude": 3.0},
        {"latitude": 91.0, "longitude": 0.0},
        {"latitude": "nan", "longitude": "0"},
        {"name": "x" * 81},
        {"name": "a\x00b"},
        {"specialty": "'; drop"},
        {"limit": 0},
        {"limit": 101},
        {"role": "admin"},
    ],
)
def test_what_makes_no_sense_is_refused_with_a_sentence(asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as no:
        DirectoryQuery.parse(asked)
    assert all(str(sentence) for sentence in no.value.fields.values())


def test_empty_fields_of_a_form_are_no_filters() -> None:
    assert DirectoryQuery.parse(
        dict.fromkeys(("specialty", "name", "city", "clinic", "language", "before"), "")
    ).is_empty


def test_choices_are_what_some_public_doctor_has(dr_benali: Any, dr_haddad: Any) -> None:
    make_specialty("surgery", "Surgery", "Chirurgie", "جراحة")
    facets = cards.facets(NOBODY)
    assert [one.code for one in facets.specialties] == ["cardiology", "paediatrics"]
    assert facets.cities == ("Algiers", "Oran")
    assert facets.languages == ("ar", "fr")
    assert facets.specialties[0].name_in("fr") == "Cardiologie"
    assert facets.specialties[0].name_in(language()) == "Cardiology"


def test_a_search_takes_a_fixed_number_of_statements(dr_benali: Any, statements: Any) -> None:
    with statements() as few:
        finding.search(NOBODY, DirectoryQuery())
    clinic = make_clinic("Clinique Pleine")
    kind = make_visit_type(clinic)
    for number in range(8):
        make_week(make_practice(make_doctor(make_user("Dr", f"More{number}")), clinic), [kind])
    with statements() as many:
        finding.search(NOBODY, DirectoryQuery())
    assert many() == few() <= 4


def test_a_profile_is_public_once_verified(database: Any, dr_benali: Any) -> None:
    assert directory.profile(NOBODY, dr_benali.slug).id == dr_benali.doctor_id
    hidden = make_doctor(make_user("Not", "Yet"), verified=False)
    with pytest.raises(NotFound):
        directory.profile(NOBODY, hidden.slug)
    with pytest.raises(NotFound):
        directory.practice(NOBODY, make_practice(hidden, make_clinic("Clinique Y")).id)


def test_a_week_never_begins_in_the_past_and_ends_at_the_horizon(
    dr_benali: Any, el_djazair: Any, database: Any
) -> None:
    from portal.domain.scheduling.models import VisitType

    zone = directory.practice(NOBODY, dr_benali.practice_id).clinic.zone
    kind = database.get(VisitType, el_djazair.consultation_id)
    today = clock.today("Africa/Algiers")
    first = finding.week(NOBODY, dr_benali.practice_id, kind, zone, today - timedelta(days=30))
    assert (first.first, first.previous, first.next) == (today, None, today + timedelta(days=7))
    assert len(first.days) == 7
    assert not first.is_empty
    last = finding.week(NOBODY, dr_benali.practice_id, kind, zone, today + timedelta(days=5000))
    assert last.first == today + timedelta(days=kind.horizon_days)
    assert last.next is None


def test_an_empty_week_points_to_the_next_free_time(dr_benali: Any, el_djazair: Any, database: Any) -> None:
    from portal.domain.scheduling.models import VisitType

    make_closure(clock.now(), clock.now() + timedelta(days=15), practice_id=dr_benali.practice_id)
    kind = database.get(VisitType, el_djazair.consultation_id)
    week = finding.week(NOBODY, dr_benali.practice_id, kind, ALGIERS)
    assert week.is_empty
    assert week.next_free.starts_at > clock.now() + timedelta(days=15)
