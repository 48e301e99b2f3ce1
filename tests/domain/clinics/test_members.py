"""Who works in a clinic: invited by its admins, without the role from the next request on once it has ended."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep
from portal.core.errors import Conflict, NotFound
from portal.domain.clinics import members
from tests.builders import actor_of

SALIMA = {"email": "salima@example.dz", "given_name": "Salima", "family_name": "Haddad", "role": "staff"}


def test_an_invited_member_has_the_role_and_gets_a_link(admin: Any, el_djazair: Any, mailbox: Any) -> None:
    made = members.invite(admin.actor, el_djazair.clinic_id, **SALIMA)
    assert actor_of(made.user_id).works_at(el_djazair.clinic_id)
    assert mailbox.link("salima@example.dz")


def test_somebody_with_an_account_is_told_of_the_new_role(
    admin: Any, el_djazair: Any, amina: Any, mailbox: Any
) -> None:
    made = members.invite(admin.actor, el_djazair.clinic_id, **{**SALIMA, "email": amina.email})
    assert made.user_id == amina.user_id
    assert actor_of(amina.user_id).has_role("staff", "patient")
    assert mailbox.latest(amina.email)


def test_nobody_has_the_same_role_twice(admin: Any, el_djazair: Any, nadia: Any) -> None:
    with pytest.raises(Conflict) as no:
        members.invite(admin.actor, el_djazair.clinic_id, **{**SALIMA, "email": nadia.email})
    assert no.value.code == "already_member"


def test_a_role_that_ended_is_gone_and_can_be_given_again(admin: Any, el_djazair: Any, nadia: Any) -> None:
    membership = next(
        one for one in members.of_clinic(admin.actor, el_djazair.clinic_id) if one.user_id == nadia.user_id
    )
    members.end(admin.actor, membership.id)
    keep()
    assert not nadia.actor.works_at(el_djazair.clinic_id)
    members.invite(admin.actor, el_djazair.clinic_id, **{**SALIMA, "email": nadia.email})
    assert nadia.actor.works_at(el_djazair.clinic_id)


def test_an_admin_does_not_end_the_own_role(admin: Any, el_djazair: Any) -> None:
    own = next(one for one in members.of_clinic(admin.actor, el_djazair.clinic_id) if one.user_id == admin.user_id)
    with pytest.raises(Conflict) as no:
        members.end(admin.actor, own.id)
    assert no.value.code == "own_role"


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "kamel", "amina"])
def test_nobody_but_its_admins_changes_a_clinics_team(
    request: Any, admin: Any, el_djazair: Any, nadia: Any, who: str
) -> None:
    actor = request.getfixturevalue(who).actor
    membership = next(
        one for one in members.of_clinic(admin.actor, el_djazair.clinic_id) if one.user_id == nadia.user_id
    )
    with pytest.raises(NotFound):
        members.invite(actor, el_djazair.clinic_id, **SALIMA)
    with pytest.raises(NotFound):
        members.end(actor, membership.id)
    with pytest.raises(NotFound):
        members.of_clinic(actor, el_djazair.clinic_id)


def test_an_admin_sees_only_the_roles_in_the_own_clinics(admin: Any, superadmin: Any, nadia: Any, kamel: Any) -> None:
    assert [one.role for one in members.of_user(admin.actor, nadia.user_id)] == ["staff"]
    assert members.of_user(admin.actor, kamel.user_id) == []
    assert [one.role for one in members.of_user(superadmin.actor, kamel.user_id)] == ["staff"]
