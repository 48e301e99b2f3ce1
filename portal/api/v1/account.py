"""One's own account, as on the pages: made, verified, its password forgotten and changed, its sign-ins ended.

What depends on whether an address is known happens in mails: the answers are the same for every address.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import Me, Out
from portal.api.v1.auth import SIGN_IN_RATE, me
from portal.core.actor import Actor
from portal.core.errors import Gone, Invalid, NotFound
from portal.core.text import gettext as say
from portal.domain.identity import accounts, acts_for, credentials, sessions
from portal.domain.identity.acts_for import EndsOnPages, Thing
from portal.domain.identity.shapes import (
    ChangePassword,
    EmailOnly,
    MyProfile,
    PresentPassword,
    ResetPassword,
    VerifyAddress,
)
from portal.domain.patients import profiles, registering
from portal.domain.patients.shapes import RegisterPatient

TAG = "Your account"
SIGNED_IN = ("browser", "program")
FROM_THE_MAIL = "the last part of the link in the e-mail"


class Mailed(Out):
    """An e-mail says how to go on, if there is anything to say to this address."""

    detail: str


class SignedInOut(Out):
    """A browser or a program that is signed in for the account."""

    id: UUID
    kind: Literal["browser", "program"]
    label: Annotated[str, Field(description="What the browser calls itself, or the program was called at sign-in")]
    address: Annotated[str | None, Field(description="Where the browser signed in from")]
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    is_current: Annotated[bool, Field(description="Whether it is the sign-in of this very token")]

    @classmethod
    def of(cls, one: Thing) -> SignedInOut:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class SignedInList(Out):
    items: list[SignedInOut]


class ActingOut(Out):
    """One thing that acts for the account."""

    id: UUID
    kind: Literal[
        "browser", "program", "calendar", "webhook", "clinic_webhook", "invitation", "provider", "second_factor"
    ]
    label: Annotated[str, Field(description="What it calls itself, or what it is for")]
    address: Annotated[str | None, Field(description="Where a browser signed in from")]
    scopes: Annotated[list[str] | None, Field(description="What a program may do; null: everything the account may")]
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    is_current: Annotated[bool, Field(description="Whether it is the sign-in of this very token")]

    @classmethod
    def of(cls, one: Thing) -> ActingOut:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class ActingList(Out):
    """Kind by kind."""

    items: list[ActingOut]


@endpoint(
    "POST",
    "/auth/register",
    tag=TAG,
    body=RegisterPatient,
    answer=Mailed,
    status=202,
    public=True,
    rate=SIGN_IN_RATE,
    example={
        "email": "meriem@example.dz", "password": "four words you like", "given_name": "Meriem",
        "family_name": "Saadi", "locale": "fr",
    },
)  # fmt: skip
def register(actor: Actor, body: RegisterPatient) -> Mailed:
    """Make a patient's account

    The answer is the same whether the address has an account or not; an e-mail tells its owner which. Its link verifies
    the address (or send its token to POST /auth/verify), which is needed before the first booking.
    """
    registering.register(actor, **body.values())
    return _mailed()


@endpoint(
    "POST",
    "/auth/verify",
    tag=TAG,
    body=VerifyAddress,
    status=204,
    refuses=(Gone, Invalid),
    public=True,
    rate=SIGN_IN_RATE,
    example={"token": FROM_THE_MAIL, "password": "four words you like"},
)
def verify_email(actor: Actor, body: VerifyAddress) -> None:
    """Show that the e-mail address is one's own, with the token that was mailed

    The password is the account's from now on: send the one it was registered with, or another. Whoever registered the
    address may have been somebody else, so everything that was signed in before ends.
    """
    accounts.verify_email(actor, body.token, password=body.password)


@endpoint(
    "POST",
    "/auth/forgot",
    tag=TAG,
    body=EmailOnly,
    answer=Mailed,
    status=202,
    public=True,
    rate=SIGN_IN_RATE,
    example={"email": "amina@demo.dz"},
)
def forgot_password(actor: Actor, body: EmailOnly) -> Mailed:
    """Ask for a link to choose a new password

    The answer is the same for every address. The link works once, for half an hour.
    """
    credentials.forgot(actor, body.email)
    return _mailed()


@endpoint(
    "POST",
    "/auth/reset",
    tag=TAG,
    body=ResetPassword,
    status=204,
    refuses=(Gone,),
    public=True,
    rate=SIGN_IN_RATE,
    example={"token": FROM_THE_MAIL, "password": "four other words"},
)
def reset_password(actor: Actor, body: ResetPassword) -> None:
    """Choose a new password with the token that was mailed

    What acts for the account ends: browsers, programs, calendar addresses, webhooks, open invitations.
    """
    credentials.reset(actor, body.token, body.password)


@endpoint(
    "PUT",
    "/auth/profile",
    tag=TAG,
    body=MyProfile,
    answer=Me,
    scope="profile:write",
    example={"given_name": "Amina", "family_name": "Boudiaf", "locale": "fr"},
)
def put_profile(actor: Actor, body: MyProfile) -> Me:
    """Change your name and language"""
    profiles.call_me(actor, **body.values())
    user = accounts.get(actor.user_id)
    return me(replace(actor, name=user.name, locale=user.locale))


@endpoint(
    "POST",
    "/auth/password",
    tag=TAG,
    body=ChangePassword,
    status=204,
    refuses=(Invalid,),
    scope="profile:write",
    keyed=True,
    rate=SIGN_IN_RATE,
    example={"current_password": "the present one", "password": "four other words"},
)
def change_password(actor: Actor, body: ChangePassword) -> None:
    """Change the password, knowing the present one

    What acts for the account ends, this sign-in with the rest: sign in again with the new password.
    """
    credentials.change(actor, **body.values())


@endpoint("GET", "/auth/sessions", tag=TAG, answer=SignedInList, scope="profile:read")
def list_sessions(actor: Actor) -> SignedInList:
    """The browsers and programs that are signed in, the one used last first"""
    found = acts_for.mine(actor, SIGNED_IN)
    found.sort(key=lambda one: one.last_used_at or one.created_at, reverse=True)
    return SignedInList(items=[SignedInOut.of(one) for one in found])


@endpoint("DELETE", "/auth/sessions/{session_id}", tag=TAG, status=204, refuses=(NotFound,), scope="profile:write")
def end_session(actor: Actor, session_id: UUID) -> None:
    """Sign a browser or a program out; with the id of this one, it is the same as POST /auth/logout"""
    acts_for.end_one(actor, session_id, SIGNED_IN)


@endpoint("GET", "/auth/acting", tag=TAG, answer=ActingList, scope="profile:read")
def list_acting(actor: Actor) -> ActingList:
    """Everything that acts for the account: what is signed in, calendar addresses, webhooks, open invitations"""
    return ActingList(items=[ActingOut.of(one) for one in acts_for.mine(actor)])


@endpoint(
    "DELETE",
    "/auth/acting/{thing_id}",
    tag=TAG,
    status=204,
    refuses=(NotFound, EndsOnPages),
    scope="profile:write",
)
def end_acting(actor: Actor, thing_id: UUID) -> None:
    """End one of them; a second factor is removed on the portal's pages only"""
    acts_for.end_one(actor, thing_id)


@endpoint(
    "POST",
    "/auth/acting/end",
    tag=TAG,
    body=PresentPassword,
    status=204,
    refuses=(Invalid,),
    scope="profile:write",
    rate=SIGN_IN_RATE,
    example={"current_password": "the present one"},
)
def end_all_acting(actor: Actor, body: PresentPassword) -> None:
    """End all of them, this sign-in too, knowing the password

    Password, second factor and providers stay, and so do the webhooks of clinics.
    """
    sessions.prove(actor, body.current_password, "current_password")
    accounts.sign_out_everywhere(actor)


def _mailed() -> Mailed:
    return Mailed(detail=say("Please look into your mailbox: an e-mail says how to go on."))
