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
from portal.domain.identity import accounts, credentials, signed_in
from portal.domain.identity.shapes import ChangePassword, EmailOnly, LinkToken, MyProfile, ResetPassword
from portal.domain.identity.signed_in import SignedIn
from portal.domain.patients import profiles, registering
from portal.domain.patients.shapes import RegisterPatient

TAG = "Your account"
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
    def of(cls, one: SignedIn) -> SignedInOut:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class SignedInList(Out):
    items: list[SignedInOut]


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
    body=LinkToken,
    status=204,
    refuses=(Gone,),
    public=True,
    rate=SIGN_IN_RATE,
    example={"token": FROM_THE_MAIL},
)
def verify_email(actor: Actor, body: LinkToken) -> None:
    """Show that the e-mail address is one's own, with the token that was mailed"""
    accounts.verify_email(actor, body.token)


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

    Every browser and program that is signed in is signed out.
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

    Every other browser and program is signed out; the tokens of this sign-in go on.
    """
    credentials.change(actor, **body.values())


@endpoint("GET", "/auth/sessions", tag=TAG, answer=SignedInList, scope="profile:read")
def list_sessions(actor: Actor) -> SignedInList:
    """The browsers and programs that are signed in, the one used last first"""
    return SignedInList(items=[SignedInOut.of(one) for one in signed_in.mine(actor)])


@endpoint("DELETE", "/auth/sessions/{session_id}", tag=TAG, status=204, refuses=(NotFound,), scope="profile:write")
def end_session(actor: Actor, session_id: UUID) -> None:
    """Sign a browser or a program out; with the id of this one, it is the same as POST /auth/logout"""
    signed_in.end(actor, session_id)


def _mailed() -> Mailed:
    return Mailed(detail=say("Please look into your mailbox: an e-mail says how to go on."))
