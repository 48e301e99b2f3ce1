"""Programs: who lets them in, where they may send people back to, what changes and ends with them."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.domain.clinics import programs
from portal.domain.clinics.models import Membership
from portal.domain.identity import clients, tokens
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.models import User
from tests.builders import actor_of

BACK = ["https://planner.example/back"]
MAY = ["profile:read", "appointments:read"]


def planner(actor: Any, **about: Any) -> OAuthClient:
    told = {"kind": "app", "name": "Planner", "scopes": MAY, "redirect_uris": BACK} | about
    return programs.add(actor, **told)[0]


def robot(actor: Any, place: Any, **about: Any) -> OAuthClient:
    return programs.add(actor, kind="service", name="Lab", scopes=MAY, clinic_id=place.clinic_id, **about)[0]


@pytest.mark.parametrize("who", ["amina", "nadia", "dr_benali"])
def test_only_admins_have_to_do_with_programs(who: str, superadmin: Any, request: pytest.FixtureRequest) -> None:
    actor = request.getfixturevalue(who).actor
    known = planner(superadmin.actor)
    with pytest.raises(Forbidden):
        planner(actor)
    with pytest.raises(Forbidden):
        clients.of(actor)
    with pytest.raises(Forbidden):
        clients.end(actor, known.id)


def test_an_admin_sees_their_clinics_programs_and_a_superadmin_all(
    admin: Any, superadmin: Any, el_djazair: Any, wahran: Any
) -> None:
    here = planner(admin.actor, clinic_id=el_djazair.clinic_id)
    there = planner(superadmin.actor, clinic_id=wahran.clinic_id)
    nowhere = planner(superadmin.actor)
    assert clients.of(admin.actor) == [here]
    assert set(clients.of(superadmin.actor)) == {here, there, nowhere}
    for key in (there.id, nowhere.id, "x"):
        with pytest.raises(NotFound):
            clients.get(admin.actor, key)
    with pytest.raises(NotFound):
        planner(admin.actor, clinic_id=wahran.clinic_id)


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("https://planner.example/back", True),
        ("https://planner.example/back/", False),
        ("https://planner.example/back#x", False),
        ("https://planner.example", False),
        ("http://127.0.0.1/cb", True),
        ("http://127.0.0.1:51004/cb", True),
        ("http://[::1]:51004/cb?a=1", True),
        ("http://[::1]:51004/cb", False),
        ("http://127.0.0.1:51004/cb?x=1", False),
        ("http://127.0.0.1:51004@evil.example/cb", False),
        ("http://evil@127.0.0.1:51004/cb", False),
        ("http://127.0.0.1:port/cb", False),
        ("https://127.0.0.1:51004/cb", False),
        ("http://localhost:4000/cb", True),
        ("http://localhost:4001/cb", False),
        ("com.example.planner:/back", True),
        ("com.example.planner:/other", False),
        ("", False),
    ],
)
def test_people_are_sent_back_to_the_letter(superadmin: Any, address: str, may: bool) -> None:
    there = [
        *BACK,
        "http://127.0.0.1/cb",
        "http://[::1]/cb?a=1",
        "http://localhost:4000/cb",
        "com.example.planner:/back",
    ]
    assert clients.may_return_to(planner(superadmin.actor, redirect_uris=there), address) is may


def test_a_program_that_works_by_itself_has_an_account_and_one_role(admin: Any, el_djazair: Any) -> None:
    lab = robot(admin.actor, el_djazair, role="admin")
    acting = actor_of(lab.service_user_id)
    assert acting.roles == ("admin",) and acting.clinics_as("admin") == {el_djazair.clinic_id}
    assert programs.role_of(lab) == "admin" and lab.kind == "service"
    account = session().get_one(User, lab.service_user_id)
    assert account.password_hash is None and account.email.endswith(".invalid")


def test_it_needs_a_clinic(superadmin: Any) -> None:
    with pytest.raises(Invalid) as no:
        programs.add(superadmin.actor, kind="service", name="Lab", scopes=MAY)
    assert set(no.value.fields) == {"clinic_id"}


def test_ending_it_ends_its_tokens_its_role_and_its_account(admin: Any, el_djazair: Any) -> None:
    lab = robot(admin.actor, el_djazair)
    _grant, family = tokens.start_for_client(admin.actor, lab, lab.service_user_id, MAY, alone=True)  # type: ignore[arg-type]
    programs.end(admin.actor, lab.id)
    session().expire_all()
    assert family.ended_why == "client_ended" and clients.known(lab.client_id) is None
    assert session().query(Membership).filter_by(user_id=lab.service_user_id).one().ended_at
    assert not session().get_one(User, lab.service_user_id).is_active
    for again in (programs.end, clients.renew_secret):
        with pytest.raises(Conflict):
            again(admin.actor, lab.id)


def test_what_it_was_given_shrinks_with_what_it_may_ask_and_never_grows(superadmin: Any, amina: Any) -> None:
    known = planner(superadmin.actor)
    _grant, family = tokens.start_for_client(amina.actor, known, amina.user_id, MAY)
    about = {"name": "Planner", "website": "", "redirect_uris": BACK}
    clients.change(superadmin.actor, known.id, scopes=["appointments:read", "audit:read"], **about)
    assert family.scopes == ["appointments:read"]
    clients.change(superadmin.actor, known.id, scopes=MAY, **about)
    assert family.scopes == ["appointments:read"]
    assert clients.use_of(known) == (1, family.last_used_at)


def test_a_secret_is_one_programs_and_a_public_one_has_none(superadmin: Any) -> None:
    site, secret = programs.add(superadmin.actor, kind="server", name="Site", scopes=MAY, redirect_uris=BACK)
    clients.prove(site, str(secret))
    for wrong in ("", "x", str(secret)[:-1], site.secret_fingerprint or ""):
        with pytest.raises(clients.ClientRefused):
            clients.prove(site, wrong)
    app = planner(superadmin.actor)
    with pytest.raises(clients.ClientRefused):
        clients.prove(app, "")
    with pytest.raises(Conflict):
        clients.renew_secret(superadmin.actor, app.id)


@pytest.mark.parametrize("unknown", [None, "", "x" * 60, "a b", "a\x00b", "'; --"])
def test_what_is_no_identifier_is_no_program(database: Any, unknown: str | None) -> None:
    assert clients.known(unknown) is None
