"""Admins let programs in, see their secret once, change them and end them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.db import session
from portal.core.events import Event
from portal.domain.identity.client_models import OAuthClient

APP = {
    "kind": "app",
    "name": "Family planner",
    "redirect_uris": "https://planner.example/back\r\ncom.example.planner:/back",
    "website": "https://planner.example",
    "scopes": ["profile:read", "appointments:read"],
    "role": "staff",
}


def text(answer: Any) -> str:
    return str(answer.get_data(as_text=True))


def secret_in(answer: Any) -> str:
    found = re.search(r'id="secret"[^>]*value="([^"]+)"', text(answer))
    assert found, text(answer)
    return found[1]


def only() -> OAuthClient:
    return session().query(OAuthClient).one()


def let_in(client: Any, el_djazair: Any, **changed: Any) -> Any:
    return client.post("/admin/programs/new", data=APP | {"clinic_id": str(el_djazair.clinic_id)} | changed)


def test_an_app_is_let_in_and_keeps_no_secret(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    assert client.get(f"/admin/programs/new?clinic={el_djazair.clinic_id}").status_code == 200
    answer = let_in(client, el_djazair)
    assert answer.status_code == 303
    made = only()
    assert answer.location.endswith(f"/admin/programs/{made.id}") and made.is_public and made.made_by == admin.user_id
    assert made.redirect_uris == ["https://planner.example/back", "com.example.planner:/back"]
    page = text(client.get(answer.location))
    assert made.client_id in page and "https://planner.example/back" in page and 'id="secret"' not in page
    assert "Family planner" in text(client.get(f"/admin/programs?clinic={el_djazair.clinic_id}"))
    assert session().query(Event).filter_by(name="client.made").one().clinic_id == el_djazair.clinic_id


def test_a_secret_is_shown_once_and_only_its_fingerprint_is_kept(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    answer = let_in(client, el_djazair, kind="service", redirect_uris="")
    assert answer.status_code == 201 and "no-store" in answer.headers["Cache-Control"]
    secret = secret_in(answer)
    made = only()
    assert secret not in str(vars(made)) and secret not in text(client.get(f"/admin/programs/{made.id}"))
    told = {"grant_type": "client_credentials", "client_id": made.client_id}
    assert client.post("/oauth/token", data=told | {"client_secret": secret}).status_code == 200
    newer = secret_in(client.post(f"/admin/programs/{made.id}/secret"))
    assert client.post("/oauth/token", data=told | {"client_secret": secret}).status_code == 401
    assert client.post("/oauth/token", data=told | {"client_secret": newer}).status_code == 200


def test_a_program_is_changed(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    let_in(client, el_djazair)
    path = f"/admin/programs/{only().id}/edit"
    page = text(client.get(path))
    assert "https://planner.example/back\ncom.example.planner:/back" in page.replace("\r", "")
    told = {"name": "Planner", "redirect_uris": "https://planner.example/new", "scopes": ["profile:read"]}
    assert client.post(path, data=told).status_code == 303
    made = only()
    assert (made.name, made.website, made.scopes) == ("Planner", "", ["profile:read"])
    assert made.redirect_uris == ["https://planner.example/new"]


def test_a_program_is_ended_for_good(client: Any, admin: Any, el_djazair: Any) -> None:
    client.sign_in(admin)
    let_in(client, el_djazair)
    path = f"/admin/programs/{only().id}"
    assert client.post(f"{path}/end").status_code == 303
    assert "was ended" in text(client.get(path)) and "Ended" in text(client.get("/admin/programs"))
    for answer in (client.post(f"{path}/end"), client.post(f"{path}/secret"), client.post(f"{path}/edit", data=APP)):
        assert answer.status_code in {409, 422}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"redirect_uris": ""}, "sent back to"),
        ({"redirect_uris": "http://planner.example/back"}, "whole addresses"),
        ({"redirect_uris": "https://planner.example/back#part"}, "whole addresses"),
        ({"redirect_uris": "https://you@planner.example/back"}, "whole addresses"),
        ({"redirect_uris": "https://*.planner.example/back"}, "whole addresses"),
        ({"redirect_uris": "javascript:alert(1)"}, "whole addresses"),
        ({"redirect_uris": "data:text/html,x"}, "whole addresses"),
        ({"redirect_uris": "planner:/back"}, "whole addresses"),
        ({"redirect_uris": "https://planner.example/a b"}, "whole addresses"),
        ({"redirect_uris": "https://planner.example:99999/"}, "whole addresses"),
        ({"redirect_uris": "https://planner.example;script-src/"}, "whole addresses"),
        ({"kind": "server", "redirect_uris": "com.example.planner:/back"}, "own scheme"),
        ({"website": "javascript:alert(1)"}, "https://"),
        ({"scopes": []}, "at least one"),
        ({"scopes": ["everything"]}, "not one of the choices"),
        ({"name": "x"}, "too short"),
        ({"kind": "robot"}, "not one of the choices"),
        ({"role": "superadmin", "kind": "service"}, "not one of the choices"),
    ],
)
def test_what_makes_no_sense_is_said_beside_its_field(
    client: Any, admin: Any, el_djazair: Any, changed: dict[str, Any], said: str
) -> None:
    client.sign_in(admin)
    answer = let_in(client, el_djazair, **changed)
    assert answer.status_code == 422 and session().query(OAuthClient).count() == 0
    assert said in re.sub(r".*error-summary", "", text(answer), flags=re.S)


def test_an_admin_has_no_say_in_another_clinics_programs(
    client: Any, admin: Any, superadmin: Any, el_djazair: Any, wahran: Any
) -> None:
    client.sign_in(superadmin)
    assert let_in(client, wahran, name="Of Oran").status_code == 303
    key = only().id
    client.sign_in(admin)
    assert "Of Oran" not in text(client.get("/admin/programs"))
    assert client.get(f"/admin/programs?clinic={wahran.clinic_id}").status_code == 404
    for path in ("", "/edit"):
        assert client.get(f"/admin/programs/{key}{path}").status_code == 404
    for path in ("/edit", "/secret", "/end"):
        assert client.post(f"/admin/programs/{key}{path}", data=APP).status_code == 404
    assert let_in(client, wahran).status_code == 404
    assert let_in(client, el_djazair, clinic_id="").status_code == 403


def test_a_superadmin_lets_in_for_no_clinic_but_not_what_works_by_itself(
    client: Any, superadmin: Any, el_djazair: Any
) -> None:
    client.sign_in(superadmin)
    assert let_in(client, el_djazair, clinic_id="").status_code == 303
    answer = let_in(client, el_djazair, clinic_id="", kind="service")
    assert answer.status_code == 422 and "choose one" in text(answer)


def test_the_password_is_asked_for_before_a_program_is_let_in(
    client: Any, admin: Any, el_djazair: Any, standing_at: Any
) -> None:
    client.sign_in(admin)
    with standing_at(clock.now() + timedelta(hours=1)):
        assert client.get("/admin/programs/new").location.startswith("/account/sudo")
        assert let_in(client, el_djazair).location.startswith("/account/sudo")
    assert session().query(OAuthClient).count() == 0


def test_the_list_takes_few_statements(client: Any, admin: Any, el_djazair: Any, statements: Any) -> None:
    client.sign_in(admin)
    for n in range(4):
        let_in(client, el_djazair, name=f"Planner {n}")
    with statements() as count:
        client.get("/admin/programs")
    assert count() <= 6
