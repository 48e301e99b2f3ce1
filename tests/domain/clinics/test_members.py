"""Who works in a clinic: asked by its admins, begun by the person's own yes, ended at the next request."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep
from portal.core.errors import Conflict, NotFound
from portal.domain.clinics import invitations, members
from portal.domain.doctors import joining

SALIMA = {"email": "salima@example.dz", "given_name": "Salima", "family_name": "Haddad", "role": "staff"}


def test_whoever_is_in_the_team_is_not_asked_again(admin: Any, el_djazair: Any, nadia: Any) -> None:
    with pytest.raises(Conflict) as no:
        members.invite(admin.actor, el_djazair.clinic_id, **{**SALIMA, "email": nadia.email.upper()})
    assert no.value.code == "already_member"


def test_a_role_that_ended_is_gone_and_can_be_given_again(admin: Any, el_djazair: Any, nadia: Any) -> None:
    membership = next(
        one for one in members.of_clinic(admin.actor, el_djazair.clinic_id) if one.user_id == nadia.user_id
    )
    members.end(admin.actor, membership.id)
    keep()
    assert not nadia.actor.works_at(el_djazair.clinic_id)
    asked = members.invite(admin.actor, el_djazair.clinic_id, **{**SALIMA, "email": nadia.email})
    assert not nadia.actor.works_at(el_djazair.clinic_id)
    joining.accept(nadia.actor, asked.id)
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
    asked = members.invite(admin.actor, el_djazair.clinic_id, **SALIMA)
    for verb, key in (
        (members.end, membership.id), (invitations.send_again, asked.id), (invitations.withdraw, asked.id),
        (invitations.get, asked.id), (members.of_clinic, el_djazair.clinic_id),
        (invitations.of_clinic, el_djazair.clinic_id),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            verb(actor, key)
    with pytest.raises(NotFound):
        members.invite(actor, el_djazair.clinic_id, **SALIMA)


def test_an_admin_sees_only_the_roles_in_the_own_clinics(admin: Any, superadmin: Any, nadia: Any, kamel: Any) -> None:
    assert [one.role for one in members.of_user(admin.actor, nadia.user_id)] == ["staff"]
    assert members.of_user(admin.actor, kamel.user_id) == []
    assert [one.role for one in members.of_user(superadmin.actor, kamel.user_id)] == ["staff"]
