"""What an admin verified of a doctor changes only when an admin has confirmed it; until then the old is shown."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from portal.core.actor import NOBODY
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import amendments, cards, directory, profiles
from portal.domain.doctors.models import Doctor
from portal.domain.identity.models import User
from portal.domain.patients import profiles as patient_profiles
from tests.builders import make_member, make_specialty

FALSE = {
    "title": "Pr", "given_name": "Ahmed", "family_name": "Mansouri", "licence_number": "DZ-1",
    "specialties": ["neurosurgery"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def neurosurgery(where: Any) -> Any:
    return make_specialty("neurosurgery", "Neurosurgery", "Neurochirurgie", "جراحة الأعصاب")


def said(doctor: Any) -> dict[str, Any]:
    """The body that writes the profile down as it is."""
    found = profiles.get(doctor.actor, doctor.doctor_id)
    names = profiles.ProfileShape.model_fields
    plain = {name: getattr(found, name) for name in names if name != "specialties"}
    return {**plain, "specialties": [one.code for one in found.specialties]}


def shown(doctor_id: Any) -> tuple[Any, ...]:
    """Everything public about a doctor that names or classes them."""
    row = session().get_one(Doctor, doctor_id)
    card = cards.cards([doctor_id])[doctor_id]
    found = directory.profile(NOBODY, row.slug)
    fields = tuple(one.code for one in card.specialties)
    return (card.name, found.name, row.name, row.search_name, row.slug, row.licence_number, fields, row.is_public)


def propose(doctor: Any, **other: Any) -> Any:
    return profiles.change(doctor.actor, doctor.doctor_id, **said(doctor) | (other or FALSE)).amendment


def events(doctor: Any) -> list[str]:
    keep()
    wanted = select(Event.name).where(Event.subject_id == doctor.doctor_id).order_by(Event.seq)
    return list(session().scalars(wanted))


@pytest.mark.parametrize("field", sorted(FALSE))
def test_a_verified_doctor_is_not_called_otherwise_by_their_own_word(dr_benali: Any, field: str) -> None:
    before = shown(dr_benali.doctor_id)
    waiting = propose(dr_benali, **{field: FALSE[field]})
    assert waiting and getattr(waiting, field) == FALSE[field]
    assert shown(dr_benali.doctor_id) == before


def test_renaming_the_account_renames_no_doctor(dr_benali: Any) -> None:
    before = shown(dr_benali.doctor_id)
    patient_profiles.call_me(dr_benali.actor, given_name="Ahmed", family_name="Mansouri", locale="en")
    assert shown(dr_benali.doctor_id) == before


def test_what_nobody_verified_changes_at_once(dr_benali: Any) -> None:
    changed = profiles.change(
        dr_benali.actor, dr_benali.doctor_id, **{**said(dr_benali), "biography": "Twenty years.", "languages": ["fr"]}
    )
    assert (changed.biography, changed.languages, changed.amendment) == ("Twenty years.", ["fr"], None)
    assert changed.is_public
    assert events(dr_benali) == ["doctor.changed"]


def test_an_admin_confirms_and_the_profile_says_it(dr_benali: Any, admin: Any) -> None:
    waiting = propose(dr_benali)
    verified = session().get_one(Doctor, dr_benali.doctor_id).licence_verified_at
    changed = amendments.confirm(admin.actor, waiting.id)
    assert (changed.name, changed.search_name) == ("Pr Ahmed Mansouri", "ahmed mansouri")
    assert ([one.code for one in changed.specialties], changed.licence_number) == (["neurosurgery"], "DZ-1")
    assert changed.licence_verified_by == admin.user_id
    assert changed.licence_verified_at and verified and changed.licence_verified_at > verified
    assert (changed.slug, changed.amendment) == (dr_benali.slug, None)
    assert events(dr_benali) == ["doctor.amendment_proposed", "doctor.amendment_confirmed"]
    with pytest.raises((Conflict, NotFound)):
        amendments.confirm(admin.actor, waiting.id)


def test_an_admin_refuses_and_the_doctor_sees_it(dr_benali: Any, admin: Any) -> None:
    before = shown(dr_benali.doctor_id)
    waiting = propose(dr_benali)
    amendments.reject(admin.actor, waiting.id)
    assert shown(dr_benali.doctor_id) == before
    seen = profiles.get(dr_benali.actor, dr_benali.doctor_id).amendment
    assert seen and not seen.is_waiting
    with pytest.raises(Conflict):
        amendments.confirm(admin.actor, waiting.id)
    profiles.change(dr_benali.actor, dr_benali.doctor_id, **said(dr_benali) | {"biography": "x"})
    assert profiles.get(dr_benali.actor, dr_benali.doctor_id).amendment, "the note stays until it is put away"
    amendments.withdraw(dr_benali.actor, waiting.id)
    assert profiles.get(dr_benali.actor, dr_benali.doctor_id).amendment is None


def test_what_an_admin_saw_is_what_they_confirm(dr_benali: Any, admin: Any) -> None:
    first = propose(dr_benali, family_name="Bénali-Kaci").id
    second = propose(dr_benali, family_name="Of the palace")
    assert second.id != first
    with pytest.raises((Conflict, NotFound)):
        amendments.confirm(admin.actor, first)
    assert amendments.confirm(admin.actor, second.id).family_name == "Of the palace"


def test_saying_the_same_again_keeps_it_and_saying_the_old_takes_it_back(dr_benali: Any) -> None:
    body = said(dr_benali)
    first = propose(dr_benali)
    again = profiles.change(dr_benali.actor, dr_benali.doctor_id, **body | FALSE).amendment
    assert again and again.id == first.id
    assert profiles.change(dr_benali.actor, dr_benali.doctor_id, **body).amendment is None
    assert events(dr_benali) == ["doctor.amendment_proposed", "doctor.amendment_withdrawn"]


def test_nobody_confirms_their_own(dr_benali: Any, el_djazair: Any) -> None:
    waiting = propose(dr_benali)
    with pytest.raises(Forbidden):
        amendments.confirm(dr_benali.actor, waiting.id)
    user, clinic = session().get_one(User, dr_benali.user_id), session().get_one(Clinic, el_djazair.clinic_id)
    make_member(user, clinic, "admin")
    keep()
    for superadmin in (False, True):
        user.is_superadmin = superadmin
        session().flush()
        for verb in (amendments.confirm, amendments.reject):
            with pytest.raises(Conflict) as no:
                verb(dr_benali.actor, waiting.id)
            assert no.value.code == "own_licence"


@pytest.mark.parametrize("who", ["dr_haddad", "nadia", "kamel", "amina"])
def test_for_nobody_else_there_is_such_a_change(dr_benali: Any, who: str, request: Any) -> None:
    waiting = propose(dr_benali)
    for verb in (amendments.confirm, amendments.reject, amendments.withdraw):
        with pytest.raises(NotFound):
            verb(request.getfixturevalue(who).actor, waiting.id)


def test_an_admins_own_correction_is_confirmed_by_an_act_of_its_own(dr_benali: Any, admin: Any) -> None:
    before = shown(dr_benali.doctor_id)
    changed = profiles.change(admin.actor, dr_benali.doctor_id, **said(dr_benali) | {"family_name": "Bénali"})
    assert shown(dr_benali.doctor_id) == before
    assert changed.amendment
    assert amendments.confirm(admin.actor, changed.amendment.id).family_name == "Bénali"


def test_withdrawing_the_licence_opens_no_way_round(dr_benali: Any, admin: Any) -> None:
    """Letters about booked visits go on naming the doctor, so the name still is the verified one."""
    profiles.withdraw_licence(admin.actor, dr_benali.slug)
    waiting = propose(dr_benali)
    assert waiting and session().get_one(Doctor, dr_benali.doctor_id).name == "Dr Samira Benali"
    confirmed = amendments.confirm(admin.actor, waiting.id)
    assert (confirmed.name, confirmed.is_public) == ("Pr Ahmed Mansouri", False)
    assert profiles.verify_licence(admin.actor, dr_benali.slug).is_public


def test_a_profile_that_was_never_verified_changes_at_once(dr_benali: Any) -> None:
    doctor = session().get_one(Doctor, dr_benali.doctor_id)
    doctor.licence_verified_at = None
    session().flush()
    changed = profiles.change(dr_benali.actor, dr_benali.doctor_id, **said(dr_benali) | FALSE)
    assert (changed.family_name, changed.search_name, changed.amendment) == ("Mansouri", "ahmed mansouri", None)


def test_a_licence_is_verified_as_it_was_seen(dr_benali: Any, admin: Any) -> None:
    doctor = session().get_one(Doctor, dr_benali.doctor_id)
    doctor.licence_verified_at = None
    session().flush()
    seen = profiles.mark_of(profiles.get(admin.actor, dr_benali.doctor_id))
    profiles.change(dr_benali.actor, dr_benali.doctor_id, **said(dr_benali) | {"family_name": "Other"})
    with pytest.raises(Conflict):
        profiles.verify_licence(admin.actor, dr_benali.slug, seen=seen)
    now = profiles.mark_of(profiles.get(admin.actor, dr_benali.doctor_id))
    assert profiles.verify_licence(admin.actor, dr_benali.slug, seen=now).is_public


def test_a_licence_number_still_belongs_to_one_doctor(
    dr_benali: Any, dr_haddad: Any, admin: Any, superadmin: Any
) -> None:
    taken = session().get_one(Doctor, dr_haddad.doctor_id).licence_number
    with pytest.raises(Invalid):
        propose(dr_benali, licence_number=taken)
    one, other = propose(dr_benali, licence_number="DZ-5"), propose(dr_haddad, licence_number="DZ-5")
    amendments.confirm(superadmin.actor, one.id)
    with pytest.raises(Invalid) as no:
        amendments.confirm(superadmin.actor, other.id)
    assert "licence_number" in no.value.fields


def test_changes_that_wait_stand_beside_the_licences_that_wait(dr_benali: Any, admin: Any) -> None:
    assert profiles.mine(admin.actor, licence="open").items == []
    waiting = propose(dr_benali)
    assert [one.id for one in profiles.mine(admin.actor, licence="open")] == [dr_benali.doctor_id]
    amendments.reject(admin.actor, waiting.id)
    assert profiles.mine(admin.actor, licence="open").items == []
