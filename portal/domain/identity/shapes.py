"""What comes in about accounts."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, EmailStr, Field

from portal.core.shapes import Empty, MaybeLine, Name, Secret, Shape, storable

Email = Annotated[EmailStr, Field(max_length=254), AfterValidator(storable)]
Locale = Literal["en", "fr", "ar"]
Token = Annotated[str, Field(min_length=10, max_length=200), AfterValidator(storable)]


class SignIn(Shape):
    email: Annotated[str, Field(min_length=1, max_length=254), BeforeValidator(lambda value: value.strip() if isinstance(value, str) else value), AfterValidator(storable)]
    password: Secret


class EmailOnly(Shape):
    email: Email


class NewPassword(Shape):
    password: Secret


class ChangePassword(Shape):
    current_password: Secret
    password: Secret


class AccountProfile(Shape):
    given_name: Name
    family_name: Name
    locale: Locale = "en"


class Invitation(Shape):
    """Ask someone to join a clinic in a role; they choose their own password."""

    email: Email
    given_name: Name
    family_name: Name
    locale: Locale = "en"
    role: Literal["doctor", "staff", "pharmacist", "admin"]


class Refresh(Shape):
    refresh_token: Token


class ProgramSignIn(SignIn):
    label: MaybeLine = None
    scopes: Annotated[list[str] | None, Empty] = None
