"""Doctors' profiles and practices: who makes and changes them, and when the public sees them."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import practices, profiles
from portal.domain.doctors.models import Doctor
from portal.domain.identity.models import User
from tests.builders import make_member, make_specialty

RYM = {
    "title": "Dr", "given_name": "Rym", "family_name": "Aït-Ahmed", "licence_number": "dz-77 001",
    "specialties": ["cardiology"], "languages": ["ar", "fr", "ar"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def cardiology(where: Any) -> Any:
    """The specialty the new doctor has."""
    return make_specialty()


def test_an_invited_doctor_is_private_until_the_licence_is_verified(admin: Any, el_djazair: Any, mailbox: Any) -> None:
    made = practices.invite(
        admin.actor, **RYM, clinic_id=el_djazair.clinic_id, email="rym@example.dz", fee_minor=300_000
    )
    assert (made.slug, made.licence_number, made.languages) == ("dr-rym-ait-ahmed", "DZ-77 001", ["ar", "fr"])
    assert not made.is_public
    assert made.user_id is None
    assert mailbox.link("rym@example.dz")
    profiles.verify_licence(admin.actor, made.slug)
    assert made.is_public
    assert made.licence_verified_by == admin.user_id


def test_a_doctor_can_be_added_without_an_account(admin: Any, el_djazair: Any) -> None:
    made = practices.invite(admin.actor, **RYM, clinic_id=el_djazair.clinic_id)
    assert made.user_id is None
    assert [one.doctor_id for one in practices.of_clinic(admin.actor, el_djazair.clinic_id)] == [made.id]
    assert practices.count_at([el_djazair.clinic_id]) == {el_djazair.clinic_id: 1}


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "kamel", "amina"])
def test_nobody_but_the_clinics_admins_adds_a_doctor(request: Any, el_djazair: Any, who: str) -> None:
    with pytest.raises(NotFound):
        practices.invite(request.getfixturevalue(who).actor, **RYM, clinic_id=el_djazair.clinic_id)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("specialties", ["astrology"]), ("specialties", []), ("languages", ["tlh"]), ("licence_number", "?"),
        ("practising_since", 1800), ("given_name", ""),
    ],
)  # fmt: skip
def test_a_profile_that_cannot_be_is_refused(admin: Any, el_djazair: Any, field: str, value: Any) -> None:
    with pytest.raises(Invalid) as no:
        practices.invite(admin.actor, **{**RYM, field: value}, clinic_id=el_djazair.clinic_id)
    assert field in no.value.fields


def test_a_licence_number_belongs_to_one_doctor(admin: Any, el_djazair: Any, dr_benali: Any) -> None:
    taken = session().get_one(Doctor, dr_benali.doctor_id).licence_number
    with pytest.raises(Invalid) as no:
        practices.invite(admin.actor, **{**RYM, "licence_number": taken}, clinic_id=el_djazair.clinic_id)
    assert "licence_number" in no.value.fields


@pytest.mark.parametrize("who", ["dr_haddad", "nadia", "kamel", "amina"])
def test_nobody_else_changes_a_profile(request: Any, dr_benali: Any, who: str) -> None:
    actor = request.getfixturevalue(who).actor
    with pytest.raises(NotFound):
        profiles.change(actor, dr_benali.doctor_id, **_said(dr_benali))
    with pytest.raises(NotFound):
        profiles.withdraw_licence(actor, dr_benali.slug)


def test_a_doctor_does_not_verify_or_withdraw_the_own_licence(dr_benali: Any) -> None:
    for verb in (profiles.verify_licence, profiles.withdraw_licence):
        with pytest.raises(Forbidden):
            verb(dr_benali.actor, dr_benali.slug)


def test_a_doctor_who_is_admin_too_does_not_verify_the_own_licence(dr_benali: Any, el_djazair: Any, admin: Any) -> None:
    profiles.withdraw_licence(admin.actor, dr_benali.slug)
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    make_member(session().get_one(User, dr_benali.user_id), clinic, "admin")
    with pytest.raises(Conflict) as no:
        profiles.verify_licence(dr_benali.actor, dr_benali.slug)
    assert no.value.code == "own_licence"


def test_verifying_and_withdrawing_are_recorded_once_each(admin: Any, dr_benali: Any) -> None:
    for _ in range(2):
        profiles.withdraw_licence(admin.actor, dr_benali.slug)
    for _ in range(2):
        profiles.verify_licence(admin.actor, dr_benali.slug)
    keep()
    names = (
        session().scalars(select(Event.name).where(Event.subject_id == dr_benali.doctor_id).order_by(Event.seq)).all()
    )
    assert names == ["doctor.licence_withdrawn", "doctor.licence_verified"]


def test_an_admin_lists_the_doctors_of_the_own_clinics(
    admin: Any, superadmin: Any, dr_benali: Any, dr_haddad: Any, wahran: Any
) -> None:
    assert [one.id for one in profiles.mine(admin.actor)] == [dr_benali.doctor_id]
    assert [one.id for one in profiles.mine(superadmin.actor)] == [dr_benali.doctor_id, dr_haddad.doctor_id]
    assert [one.id for one in profiles.mine(superadmin.actor, "HADD")] == [dr_haddad.doctor_id]
    assert [one.id for one in profiles.mine(superadmin.actor, clinic_id=wahran.clinic_id)] == [dr_haddad.doctor_id]
    assert profiles.mine(superadmin.actor, licence="open").items == []
    assert len(profiles.mine(superadmin.actor, licence="verified")) == 2


def test_an_admin_neither_ends_nor_starts_a_practice_elsewhere(admin: Any, dr_haddad: Any, wahran: Any) -> None:
    with pytest.raises(NotFound):
        practices.end(admin.actor, dr_haddad.practice_id)
    with pytest.raises(NotFound):
        practices.start(admin.actor, dr_haddad.slug, clinic_id=wahran.clinic_id)


def _said(doctor: Any) -> dict[str, Any]:
    found = profiles.get(doctor.actor, doctor.doctor_id)
    names = profiles.ProfileShape.model_fields
    said = {name: getattr(found, name) for name in names if name != "specialties"}
    return {**said, "specialties": [one.code for one in found.specialties]}
