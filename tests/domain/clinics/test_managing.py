"""Clinics: made by a superadmin, kept right by their admins, seen by those who run them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.errors import Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.clinics import managing
from portal.domain.clinics.models import Clinic
from portal.domain.clinics.shapes import ClinicShape, HolidayShape

SEEN = {"name": "Clinique Étoile", "address": "1 rue Larbi Ben M'hidi", "city": "Béjaïa", "phone": "034 21 00 00"}


def about(**more: Any) -> dict[str, Any]:
    """A ClinicShape's values, as a form sends them."""
    return ClinicShape.parse({**SEEN, **more}).values()


def test_a_superadmin_adds_a_clinic_with_a_readable_address(superadmin: Any) -> None:
    made = managing.create(
        superadmin.actor, **about(mon="08:00-12:00, 13:00 - 17:00", email="", latitude="36.75", longitude="5.06")
    )
    assert (made.slug, made.phone, made.email, made.latitude) == ("clinique-etoile", "+21334210000", "", 36.75)
    assert made.opening_hours == {"mon": [["08:00", "12:00"], ["13:00", "17:00"]]}
    assert managing.create(superadmin.actor, **about()).slug == "clinique-etoile-2"


def test_clinics_stand_in_the_order_of_a_dictionary_not_of_code_points(superadmin: Any) -> None:
    for name in ("Zone Santé", "Élysée", "El Amel", "el Bahdja", "Essalem"):
        managing.create(superadmin.actor, **about(name=name))
    found = [clinic.name for clinic in managing.choices(superadmin.actor)]
    assert [name for name in found if name[0] in "ZÉEe"] == ["El Amel", "el Bahdja", "Élysée", "Essalem", "Zone Santé"]


def test_a_clinic_whose_name_has_no_latin_letters_gets_an_address_too(superadmin: Any) -> None:
    assert managing.create(superadmin.actor, **about(name="عيادة النور")).slug == "clinic"


def test_no_clinic_takes_an_address_the_back_office_uses(superadmin: Any) -> None:
    assert managing.create(superadmin.actor, **about(name="New")).slug == "new-2"


@pytest.mark.parametrize("who", ["admin", "nadia", "dr_benali", "amina"])
def test_nobody_else_adds_a_clinic(request: Any, who: str) -> None:
    with pytest.raises(Forbidden):
        managing.create(request.getfixturevalue(who).actor, **about())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Africa/Nowhere"), ("time_zone", "+01:00"), ("time_zone", ""), ("phone", "12"),
        ("phone", "call us"),
        ("email", "not an address"), ("latitude", "91"), ("longitude", "far"), ("currency", "dinar"), ("name", ""),
        ("mon", "8 to 12"), ("mon", "12:00-08:00"), ("mon", "08:00-12:00, 11:00-13:00"), ("mon", "25:00-26:00"),
        ("city", "Al\ngiers"),
    ],
)  # fmt: skip
def test_what_a_clinic_cannot_be_is_refused_beside_its_field(field: str, value: str) -> None:
    with pytest.raises(Invalid) as no:
        about(**{field: value})
    assert [name.split(".")[0] for name in no.value.fields] == [field]


def test_half_a_place_on_the_map_is_refused(superadmin: Any) -> None:
    with pytest.raises(Invalid) as no:
        managing.create(superadmin.actor, **about(latitude="36.7"))
    assert "longitude" in no.value.fields


def test_an_admin_changes_the_own_clinic_and_the_event_names_the_fields(admin: Any, el_djazair: Any) -> None:
    managing.change(admin.actor, el_djazair.slug, **about(name="Clinique El Djazair"))
    keep()
    event = session().scalars(select(Event).where(Event.name == "clinic.changed")).one()
    assert event.clinic_id == el_djazair.clinic_id
    assert {"address", "city", "phone"} <= set(event.facts["fields"])
    assert session().get_one(Clinic, el_djazair.clinic_id).search_name == "clinique el djazair bejaia"


def test_only_a_superadmin_changes_the_zone_all_hours_are_meant_in(
    admin: Any, superadmin: Any, el_djazair: Any
) -> None:
    with pytest.raises(Invalid) as no:
        managing.change(admin.actor, el_djazair.slug, **about(time_zone="Europe/Paris"))
    assert "time_zone" in no.value.fields
    changed = managing.change(superadmin.actor, el_djazair.slug, **about(time_zone="Europe/Paris"))
    assert changed.time_zone == "Europe/Paris"


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "kamel", "amina"])
def test_whoever_does_not_run_a_clinic_does_not_find_it_in_the_back_office(
    request: Any, el_djazair: Any, who: str
) -> None:
    actor = request.getfixturevalue(who).actor
    for verb in (managing.get, managing.deactivate, managing.holidays):
        with pytest.raises(NotFound):
            verb(actor, el_djazair.clinic_id)
    assert managing.choices(actor) == []


def test_an_admin_sees_the_own_clinics_and_a_superadmin_all(
    admin: Any, superadmin: Any, el_djazair: Any, wahran: Any
) -> None:
    assert [one.id for one in managing.mine(admin.actor)] == [el_djazair.clinic_id]
    assert [one.id for one in managing.mine(superadmin.actor)] == [el_djazair.clinic_id, wahran.clinic_id]
    assert [one.id for one in managing.mine(superadmin.actor, "WAHRÂN")] == [wahran.clinic_id]
    assert (managing.count(admin.actor), managing.count(superadmin.actor)) == (1, 2)


def test_a_superadmin_closes_a_clinic_and_opens_it_again(superadmin: Any, admin: Any, el_djazair: Any) -> None:
    with pytest.raises(Forbidden):
        managing.deactivate(admin.actor, el_djazair.clinic_id)
    assert managing.deactivate(superadmin.actor, el_djazair.slug).is_active is False
    assert managing.reactivate(superadmin.actor, el_djazair.slug).is_active is True


def test_a_holiday_needs_a_date_and_a_name() -> None:
    with pytest.raises(Invalid) as no:
        HolidayShape.parse({"day": "soon", "name": ""})
    assert set(no.value.fields) == {"day", "name"}
