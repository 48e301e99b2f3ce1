"""Accounts and the roles they hold, as far as the asker may see them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import Field

from portal.api import etags
from portal.api.contract import Answer
from portal.api.v1 import endpoint
from portal.api.v1.answers import ListOut, Out
from portal.api.v1.answers import Person as Named
from portal.api.v1.clinic_invitations import InvitationOut
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound, TooMany
from portal.core.shapes import Label, Limit, Shape
from portal.domain.access import people, roles
from portal.domain.access.people import Person, Role
from portal.domain.clinics import members
from portal.domain.clinics.invitations import AlreadyInvited
from portal.domain.clinics.members import AlreadyMember, OwnRole
from portal.domain.clinics.shapes import MemberShape
from portal.domain.doctors.shapes import Cursor
from portal.domain.identity.accounts import OwnAccount
from portal.domain.scheduling import withdrawing
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.shapes import KeepVisits

TAG = "Accounts"
SOMEBODY = {"email": "nadia@example.dz", "given_name": "Nadia", "family_name": "Slimani", "role": "staff"}
MemberRole = Literal["staff", "pharmacist", "admin"]
RoleName = Literal["patient", "doctor", "staff", "pharmacist", "admin", "superadmin"]
State = Literal["active", "deactivated", "invited"]


class UsersQuery(Shape):
    """Which accounts: by role, clinic and state."""

    role: RoleName | None = None
    clinic_id: UUID | None = None
    state: State | None = None
    after: Cursor | None = None
    limit: Limit = 25


class UsersSearch(UsersQuery):
    """Which accounts, by name or e-mail address too."""

    name: Annotated[Label, Field(description="Words of a name or of an e-mail address")]


class NewUser(MemberShape):
    """Whom a clinic asks to work there, and in which role."""

    clinic_id: UUID


class RoleWanted(Shape):
    """A role in a clinic."""

    role: MemberRole
    clinic_id: UUID


class ChangeUser(Shape):
    """What is left out stays. `roles` are all that the account holds in the clinics you run, but for its practices as a
    doctor."""

    state: Literal["active", "deactivated"] | None = None
    roles: Annotated[list[RoleWanted], Field(max_length=50)] | None = None
    keep_visits: Annotated[bool, Field(description="Visits that are booked with this doctor stand all the same")] = (
        False
    )


class RoleOut(Out):
    """A role; in a clinic, or everywhere when `clinic` is null. DELETE /memberships/{membership_id} ends one."""

    role: RoleName
    clinic: Named | None
    membership_id: UUID | None

    @classmethod
    def of(cls, one: Role) -> Self:
        told: dict[str, Any] = {"role": one.name, "membership_id": one.membership_id}
        return cls(**told, clinic=Named(id=one.clinic.id, name=one.clinic.name) if one.clinic else None)


class UserOut(Out):
    """An account with the roles that you may see."""

    id: UUID
    given_name: str
    family_name: str
    email: str
    email_verified: bool
    locale: str
    state: State
    roles: list[RoleOut]
    created_at: datetime

    @classmethod
    def of(cls, person: Person) -> Self:
        user = person.user
        told: dict[str, Any] = {"state": _state(person)}
        return cls(
            **{name: getattr(user, name) for name in ("id", "given_name", "family_name", "locale", "created_at")},
            email=str(user.email),
            email_verified=user.is_verified,
            roles=[RoleOut.of(one) for one in person.roles],
            **told,
        )


class Users(ListOut):
    """By family name."""

    items: list[UserOut]


SWITCH: dict[str, Any] = {"tag": TAG, "answer": UserOut, "scope": "users:write", "keyed": True}


@endpoint("GET", "/users", tag=TAG, query=UsersQuery, answer=Users, refuses=(Forbidden, NotFound), scope="users:read")
def list_users(actor: Actor, query: UsersQuery) -> Users:
    """Accounts: all for a superadmin, those who work in their clinics for an admin"""
    return _found(actor, "", query)


@endpoint(
    "POST",
    "/users/search",
    tag=TAG,
    body=UsersSearch,
    answer=Users,
    refuses=(Forbidden, NotFound),
    scope="users:read",
    example={"name": "boudiaf", "role": "patient"},
)
def search_users(actor: Actor, body: UsersSearch) -> Users:
    """The same by name or e-mail address, which stand in no address; the next page is asked for with `after`"""
    return _found(actor, body.name, body)


@endpoint(
    "POST",
    "/users",
    tag=TAG,
    body=NewUser,
    answer=InvitationOut,
    status=201,
    refuses=(NotFound, AlreadyMember, AlreadyInvited, TooMany),
    scope="users:write",
    keyed=True,
    example=SOMEBODY | {"clinic_id": "019aa000-0000-7000-8000-000000000006"},
)
def invite_user(actor: Actor, body: NewUser) -> Answer:
    """Ask somebody to work in a clinic by letter, as its admin; account and role begin once they accept

    The answer is the invitation, the same whether the address has an account. It is the same as
    POST /clinics/{clinic_id}/members.
    """
    about = body.values()
    made = members.invite(actor, about.pop("clinic_id"), **about)
    return Answer(InvitationOut.of(made), {"Location": f"/api/v1/clinic-invitations/{made.id}"})


@endpoint("GET", "/users/{user_id}", tag=TAG, answer=UserOut, refuses=(Forbidden,), scope="users:read", tagged=True)
def get_user(actor: Actor, user_id: UUID) -> UserOut:
    """One account and its roles"""
    return UserOut.of(people.get(actor, user_id))


@endpoint(
    "PATCH",
    "/users/{user_id}",
    tag=TAG,
    body=ChangeUser,
    answer=UserOut,
    refuses=(Forbidden, OwnAccount, OwnRole, AlreadyInvited, TooMany, VisitsAffected),
    scope="users:write",
    tagged=True,
    guarded=True,
    example={"roles": [{"role": "staff", "clinic_id": "019aa000-0000-7000-8000-000000000006"}]},
)
def change_user(actor: Actor, user_id: UUID, body: ChangeUser) -> Answer:
    """Shut or open an account, as a superadmin, and change its roles in the clinics you run

    Roles that are not named end at once; new ones are asked by letter and stand in the answer once they were accepted.
    """
    seen = people.get(actor, user_id, lock=True)
    etags.unless_changed(UserOut.of(seen))
    if body.roles is not None:
        roles.change(actor, user_id, [(one.role, one.clinic_id) for one in body.roles])
    if body.state == "deactivated":
        withdrawing.shut_account(actor, user_id, keep_visits=body.keep_visits)
    if body.state == "active":
        withdrawing.open_account(actor, user_id)
    told = UserOut.of(people.again(actor, seen))
    return Answer(told, {"ETag": etags.of(told)})


@endpoint(
    "DELETE",
    "/users/{user_id}",
    tag=TAG,
    query=KeepVisits,
    status=204,
    refuses=(Forbidden, OwnAccount, VisitsAffected),
    scope="users:write",
    guarded=True,
)
def remove_user(actor: Actor, user_id: UUID, query: KeepVisits) -> None:
    """Shut an account, as a superadmin; it is never erased, and PATCH with state active opens it again

    The same as POST /users/{user_id}/deactivate.
    """
    etags.unless_changed(UserOut.of(people.get(actor, user_id, lock=True)))
    withdrawing.shut_account(actor, user_id, keep_visits=query.keep_visits)


@endpoint(
    "POST",
    "/users/{user_id}/deactivate",
    query=KeepVisits,
    refuses=(Forbidden, OwnAccount, VisitsAffected),
    **SWITCH,
)
def deactivate_user(actor: Actor, user_id: UUID, query: KeepVisits) -> UserOut:
    """Shut an account at once, as a superadmin: its sign-ins and tokens end

    A doctor whose account is shut takes no new visits. 409 `visits_affected` while patients are booked there: plan it
    with POST /changes, or send keep_visits=true.
    """
    people.get(actor, user_id)
    withdrawing.shut_account(actor, user_id, keep_visits=query.keep_visits)
    return UserOut.of(people.get(actor, user_id))


@endpoint("POST", "/users/{user_id}/reactivate", refuses=(Forbidden,), **SWITCH)
def reactivate_user(actor: Actor, user_id: UUID) -> UserOut:
    """Open an account again, as a superadmin; its doctor can be booked as before"""
    people.get(actor, user_id)
    withdrawing.open_account(actor, user_id)
    return UserOut.of(people.get(actor, user_id))


def _found(actor: Actor, name: str, wanted: UsersQuery) -> Users:
    chosen = {field: getattr(wanted, field) for field in UsersQuery.model_fields}
    found = people.search(actor, name, **chosen)
    return Users(items=[UserOut.of(one) for one in found], next=found.next)


def _state(person: Person) -> str:
    if not person.user.is_active:
        return "deactivated"
    return "active" if person.user.password_hash else "invited"
