"""At the same moment: one invitation is answered once, and one account takes one doctor's profile."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.domain.clinics import invitations, members
from portal.domain.clinics.models import Membership
from portal.domain.doctors import amendments, joining, practices, profiles
from portal.domain.doctors.models import Doctor
from portal.domain.identity.models import User
from tests.builders import make_specialty

HERE = Actor(door="web", address="10.0.0.1")
NAME = {"given_name": "Nora", "family_name": "Kaci"}


def outcomes(results: list[Any]) -> Counter[str]:
    return Counter(getattr(one, "code", "done") for one in results)


@pytest.mark.race
def test_an_invitation_accepted_many_times_at_once_begins_one_role(
    committed: Any, race: Any, admin: Any, el_djazair: Any, amina: Any
) -> None:
    asked = members.invite(admin.actor, el_djazair.clinic_id, email=amina.email, role="staff", **NAME)
    key, actor = asked.id, amina.actor
    assert outcomes(race([lambda: joining.accept(actor, key)] * 6)) == {"done": 1, "invitation_over": 5}
    session().rollback()
    assert session().scalar(select(func.count()).where(Membership.user_id == amina.user_id)) == 1


@pytest.mark.race
def test_a_link_used_twice_at_once_opens_one_account(committed: Any, race: Any, admin: Any, el_djazair: Any) -> None:
    asked = members.invite(admin.actor, el_djazair.clinic_id, email="nora@example.dz", role="staff", **NAME)
    token = invitations.token_for(asked)
    results = race([lambda: joining.accept_new(HERE, token, **NAME, password="seven green boats")] * 3)
    assert outcomes(results) == {"done": 1, "invitation_over": 2}
    session().rollback()
    assert session().scalar(select(func.count()).where(User.email == "nora@example.dz")) == 1


@pytest.mark.race
def test_of_a_yes_and_a_withdrawal_at_once_one_wins(
    committed: Any, race: Any, admin: Any, el_djazair: Any, amina: Any
) -> None:
    asked = members.invite(admin.actor, el_djazair.clinic_id, email=amina.email, role="staff", **NAME)
    key, person, boss = asked.id, amina.actor, admin.actor
    results = race([lambda: joining.accept(person, key), lambda: invitations.withdraw(boss, key)])
    assert outcomes(results) == {"done": 1, "invitation_over": 1}
    session().rollback()
    assert amina.actor.works_at(el_djazair.clinic_id) == (getattr(results[0], "code", "done") == "done")


@pytest.mark.race
def test_two_profiles_accepted_at_once_make_one_doctor(
    committed: Any, race: Any, admin: Any, el_djazair: Any, amina: Any
) -> None:
    make_specialty()
    for number in "12":
        about = {"licence_number": f"DZ-{number}00", "specialties": ["cardiology"], "clinic_id": el_djazair.clinic_id}
        practices.invite(admin.actor, **NAME, **about, email=amina.email)
    keep()
    actor, keys = amina.actor, [one.id for one in joining.mine(amina.actor)]
    results = race([lambda key=key: joining.accept(actor, key) for key in keys])  # type: ignore[misc]
    assert outcomes(results) == {"done": 1, "already_doctor": 1}


@pytest.mark.race
def test_asking_one_address_many_times_at_once_asks_once(
    committed: Any, race: Any, admin: Any, el_djazair: Any
) -> None:
    actor, place = admin.actor, el_djazair.clinic_id
    results = race([lambda: members.invite(actor, place, email="nora@example.dz", role="staff", **NAME)] * 4)
    assert outcomes(results) == {"done": 1, "already_invited": 3}


@pytest.mark.race
def test_a_change_replaced_while_it_is_confirmed_is_not_confirmed_unseen(
    committed: Any, race: Any, admin: Any, dr_benali: Any
) -> None:
    found = profiles.get(dr_benali.actor, dr_benali.doctor_id)
    body = {name: getattr(found, name) for name in profiles.ProfileShape.model_fields if name != "specialties"}
    body["specialties"] = profiles.codes_of(found)
    seen = profiles.change(dr_benali.actor, dr_benali.doctor_id, **body | {"family_name": "Seen"}).amendment
    assert seen
    keep()
    key, boss, doctor, doctor_id = seen.id, admin.actor, dr_benali.actor, dr_benali.doctor_id
    race(
        [
            lambda: amendments.confirm(boss, key),
            lambda: profiles.change(doctor, doctor_id, **body | {"family_name": "Unseen"}),
        ]
    )
    session().rollback()
    now = session().get_one(Doctor, doctor_id)
    assert now.family_name in {"Benali", "Seen"}
    waiting = profiles.get(boss, doctor_id).amendment
    assert waiting and waiting.family_name == "Unseen"
