"""Each place that compares an e-mail address takes every spelling of it: one row for each place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

import pytest
from flask import Flask
from pydantic import TypeAdapter
from sqlalchemy import func, select

from portal.core.actor import NOBODY, Actor
from portal.core.db import session
from portal.domain.identity import accounts, credentials, sessions, sso
from portal.domain.identity.models import User
from portal.domain.patients import desk, registering
from tests.builders import PASSWORD, make_user
from tests.rules.test_lines import shapes_of_the_portal

HERE = Actor(door="web", address="10.0.0.1")
ADDRESS = "x@münchen.example"
SPELLINGS = [
    "x@xn--mnchen-3ya.example", "X@MÜNCHEN.example", "x@mu\u0308nchen.example", "\u200bx@münchen.example\ufeff",
    "ｘ＠münchen.example", " x@XN--MNCHEN-3YA.Example. ",
]  # fmt: skip
ABOUT = {"given_name": "Xenia", "family_name": "Muster"}


@pytest.fixture
def places(superadmin: Any, nadia: Any, el_djazair: Any, mailbox: Any) -> dict[str, Callable[[str], bool]]:
    """The places, each with whether this spelling leads to the account; a new place needs a row."""
    user = make_user("Xenia", "Muster", email=ADDRESS)

    def registers(email: str) -> bool:
        return registering.register(NOBODY, email=email, password=PASSWORD, locale="en", **ABOUT) is None

    def signs_in(email: str) -> bool:
        return sessions.sign_in(HERE, email, PASSWORD)[0].user_id == user.id

    def forgets(email: str) -> bool:
        credentials.forgot(HERE, email)
        return bool(mailbox.link(ADDRESS))

    def provider(email: str) -> bool:
        said = {"issuer": "https://id.example", "subject": email, "email": email, "email_verified": True}
        return sso.sign_in(HERE, **said)[0].user_id == user.id

    def is_searched(email: str) -> bool:
        return [one.id for one in accounts.search(superadmin.actor, email).items] == [user.id]

    def at_desk(email: str) -> bool:
        return desk.enter(nadia.actor, el_djazair.clinic_id, as_new=True, **ABOUT, email=email)[0].email == ADDRESS

    return {
        "register": registers, "sign_in": signs_in, "reset": forgets, "sso": provider, "search": is_searched,
        "desk": at_desk,
    }  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_every_place_knows_the_account_by_each_spelling(
    places: dict[str, Callable[[str], bool]], spelling: str
) -> None:
    assert {name: place(spelling) for name, place in places.items()} == dict.fromkeys(places, True)
    assert session().scalar(select(func.count()).select_from(User).where(User.email == ADDRESS)) == 1


def test_every_shape_keeps_an_address_in_its_one_form(app: Flask) -> None:
    """Sign-in aside, which looks for what was typed as it is: the place that compares gives it its form."""
    other, looked_at = set(), set()
    for shape in shapes_of_the_portal():
        for name, field in shape.model_fields.items():
            if "email" not in name or shape.__name__ in {"SignIn", "ProgramSignIn"} or field.annotation is bool:
                continue
            whole: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            where = f"{shape.__module__}.{shape.__name__}.{name}"
            looked_at.add(where)
            other |= {where for one in SPELLINGS if TypeAdapter(whole).validate_python(one) != ADDRESS}
    assert other == set()
    assert len(looked_at) > 8
