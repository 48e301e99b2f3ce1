"""Signing in for programs: short access tokens, and refresh tokens that work once."""

from __future__ import annotations

from dataclasses import asdict

from portal.api.bearer import NoToken
from portal.api.v1 import endpoint
from portal.api.v1.answers import Me, MembershipOut, Tokens
from portal.core.actor import Actor
from portal.core.errors import refuse
from portal.domain.identity import mail_step, second_step, tokens
from portal.domain.identity.acts_for import EmailNotVerified
from portal.domain.identity.challenges import ChallengeOver, SecondFactorRequired
from portal.domain.identity.factors import WrongCode
from portal.domain.identity.mail_challenges import MailCodeRequired
from portal.domain.identity.mail_step import WrongMailCode
from portal.domain.identity.sessions import SignInRefused
from portal.domain.identity.shapes import ProgramSignIn, Refresh, SecondStep
from portal.domain.identity.tokens import TokenRefused, TokenReused

TAG = "Signing in"
SIGN_IN_RATE = "60 per minute"  # a first fence by address; the domain counts by account too
REFRESH_TOKEN = {"refresh_token": "the refresh token of your last sign-in or refresh"}


@endpoint(
    "POST",
    "/auth/login",
    tag=TAG,
    body=ProgramSignIn,
    answer=Tokens,
    refuses=(SignInRefused, SecondFactorRequired, MailCodeRequired, EmailNotVerified),
    public=True,
    rate=SIGN_IN_RATE,
    example={"email": "amina@demo.test", "password": "the password", "label": "My booking robot"},
)
def login(actor: Actor, body: ProgramSignIn) -> Tokens:
    """Sign in with e-mail and password

    `scopes` narrows what the tokens may do; leave it out for everything the account may. `label` is what the account's
    owner sees beside the sign-in. The address must be verified first.

    For an account with a second factor the answer is 401 `second_factor_required` with a `challenge`: send it with the
    code of the authenticator app to POST /auth/second-factor within five minutes.

    After too many wrong tries for an account the answer is 401 `mail_code_required`, whether this password is right or
    not: if it is, a code was mailed to the account's owner. Send it with the `challenge` to POST /auth/mail-code within
    fifteen minutes.
    """
    return Tokens(**asdict(tokens.sign_in(actor, body.email, body.password, body.label, body.scopes)))


@endpoint(
    "POST",
    "/auth/second-factor",
    tag=TAG,
    body=SecondStep,
    answer=Tokens,
    refuses=(ChallengeOver, WrongCode),
    public=True,
    rate=SIGN_IN_RATE,
    example={"challenge": "the challenge of POST /auth/login", "code": "123456"},
)
def login_with_code(actor: Actor, body: SecondStep) -> Tokens:
    """Finish a sign-in with the code of the authenticator app

    A recovery code does as well. Each code works once.
    """
    return Tokens(**asdict(second_step.grant_tokens(actor, body.challenge, body.code)))


@endpoint(
    "POST",
    "/auth/mail-code",
    tag=TAG,
    body=SecondStep,
    answer=Tokens,
    refuses=(ChallengeOver, WrongMailCode, SecondFactorRequired),
    public=True,
    rate=SIGN_IN_RATE,
    example={"challenge": "the challenge of POST /auth/login", "code": "12345678"},
)
def login_with_mail_code(actor: Actor, body: SecondStep) -> Tokens:
    """Finish a sign-in with the code that was mailed

    It works once, for fifteen minutes. An account with a second factor is asked for it afterwards.
    """
    return Tokens(**asdict(mail_step.grant_tokens(actor, body.challenge, body.code)))


@endpoint(
    "POST",
    "/auth/refresh",
    tag=TAG,
    body=Refresh,
    answer=Tokens,
    refuses=(TokenRefused, TokenReused),
    public=True,
    rate=SIGN_IN_RATE,
    example=REFRESH_TOKEN,
)
def refresh(actor: Actor, body: Refresh) -> Tokens:
    """Get a new pair of tokens

    The refresh token is spent by this. Showing a spent one ends the whole sign-in, because one of the two who had it is
    a thief.
    """
    return Tokens(**asdict(tokens.refresh(actor, body.refresh_token)))


@endpoint("POST", "/auth/logout", tag=TAG, status=204)
def logout(actor: Actor) -> None:
    """End this sign-in: its access and refresh tokens are worth nothing from now on"""
    if actor.session_id:
        tokens.sign_out(actor.session_id)


@endpoint("GET", "/auth/me", tag=TAG, answer=Me, scope="profile:read")
def me(actor: Actor) -> Me:
    """Whose token this is and what it may do"""
    plain = ("name", "email", "email_verified", "locale", "patient_id", "doctor_id")
    return Me(
        id=actor.user_id or refuse(NoToken),
        roles=list(actor.roles),
        memberships=[
            MembershipOut(clinic_id=clinic_id, role=role)
            for role, clinics in sorted(actor.clinics.items())
            for clinic_id in sorted(clinics)
        ],
        scopes=None if actor.scopes is None else sorted(actor.scopes),
        **{name: getattr(actor, name) for name in plain},
    )
