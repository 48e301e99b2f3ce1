"""What comes in about accounts."""

from __future__ import annotations

from typing import Annotated, Literal

from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo

from portal.core import emails
from portal.core.shapes import Empty, MaybeLine, Name, Secret, Shape, fault, storable
from portal.core.text import lazy as _
from portal.domain.identity import passwords
from portal.domain.identity.scopes import SCOPES


def _address(written: str) -> str:
    """An address that mail can reach in principle (RFC 5321, 6531), in its one form; whether it does is not asked."""
    try:
        return emails.normalise(validate_email(emails.normalise(written), check_deliverability=False).normalized)
    except EmailNotValidError:
        raise fault("email", _("Please write an e-mail address, such as name@example.com.")) from None


Email = Annotated[
    str,
    StringConstraints(max_length=254),
    AfterValidator(storable),
    AfterValidator(_address),
    Field(json_schema_extra={"format": "email"}),
]
Locale = Literal["en", "fr", "ar"]


def _scope(written: str) -> str:
    if written not in SCOPES:
        raise fault("scope", _("This is not one of the choices."))
    return written


Scope = Annotated[str, AfterValidator(_scope), Field(json_schema_extra={"enum": list(SCOPES)})]  # narrows a token
Token = Annotated[str, Field(min_length=10, max_length=200), AfterValidator(storable)]


def _chosen(password: str, info: ValidationInfo) -> str:
    """A new password is judged with the other fields, so that all that is wrong is said in one round."""
    said = info.data or {}  # none where the field is read alone
    about = [said[name] for name in ("email", "given_name", "family_name") if name in said]
    if wrong := passwords.wrong_with(password, *about):
        raise fault(wrong[0], wrong[1], is_refusal=True)
    return password


ChosenPassword = Annotated[Secret, AfterValidator(_chosen)]  # stands after the fields it must not be made of


class SignIn(Shape):
    """What one signs in with; an address that could not be one is simply not known."""

    email: Annotated[str, StringConstraints(min_length=1, max_length=254), AfterValidator(storable)]
    password: Secret


class EmailOnly(Shape):
    """An address to which a link is sent."""

    email: Email


class NewPassword(Shape):
    """A password, new or shown once more."""

    password: Secret


class OpenAccount(Shape):
    """The name and password with which an invited person opens an account."""

    given_name: Name
    family_name: Name
    password: ChosenPassword


class LinkToken(Shape):
    """The token of a link that was mailed."""

    token: Token


class VerifyAddress(LinkToken):
    """The token that was mailed and the password the account has from now on: the one it was made with, or another."""

    password: Secret


class PresentPassword(Shape):
    """The present password, shown once more."""

    current_password: Secret


class ResetPassword(LinkToken):
    """The token that was mailed and the password that replaces the forgotten one."""

    password: ChosenPassword


class ChangePassword(Shape):
    """The present password and the one that replaces it."""

    current_password: Secret
    password: ChosenPassword


class Code(Shape):
    """A code of an authenticator app, or a recovery code, as somebody types it."""

    code: Annotated[str, StringConstraints(min_length=1, max_length=40), AfterValidator(storable)]


class SecondStep(Code):
    """The code that was asked for, with the challenge that asked for it."""

    challenge: Annotated[str, StringConstraints(min_length=10, max_length=4000), AfterValidator(storable)]


class AccountProfile(Shape):
    """How someone is called and in which language they read."""

    given_name: Name
    family_name: Name
    locale: Locale = "en"


class MyProfile(AccountProfile):
    """How someone is called and in which language they read, all of it said."""

    locale: Locale


class LanguageChoice(Shape):
    """The language someone reads in from now on."""

    locale: Locale


class Refresh(Shape):
    """A refresh token, to be spent."""

    refresh_token: Token


class ProgramSignIn(SignIn):
    """A program that acts for someone, and what it may do at most."""

    label: MaybeLine = None
    scopes: Annotated[list[Scope] | None, Field(max_length=20), Empty] = None
