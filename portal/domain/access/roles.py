"""The roles somebody holds in the clinics an admin runs, said as a whole."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from portal.core.actor import Actor
from portal.domain.access import people
from portal.domain.clinics import members


def change(actor: Actor, user_id: UUID, wanted: Collection[tuple[str, UUID]]) -> None:
    """Make these (role, clinic) all that the account holds in the clinics the actor runs.

    What it holds besides ends with its next request; what is new is asked by letter and begins with the yes. Practices
    of doctors are not touched. Raises NotFound, OwnRole, AlreadyInvited and TooMany.
    """
    person = people.get(actor, user_id, lock=True)
    held = {(one.name, one.clinic.id): one.membership_id for one in person.roles if one.clinic and one.membership_id}
    for role, clinic_id in sorted(set(wanted) - set(held)):
        members.invite(
            actor,
            clinic_id,
            email=str(person.user.email),
            given_name=person.user.given_name,
            family_name=person.user.family_name,
            role=role,
            locale=person.user.locale,
        )
    for key, membership_id in held.items():
        if key not in wanted:
            members.end(actor, membership_id)
