"""One code, shown by many at once: one family at most, and none alive once a second one was there."""

from __future__ import annotations

from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge

from portal.core.db import keep, session
from portal.domain.clinics import programs
from portal.domain.identity import grants
from portal.domain.identity.models import TokenFamily

BACK = "https://planner.example/back"
VERIFIER = "a-verifier-of-forty-three-characters-or-more-0123456789"


def test_of_many_who_show_one_code_one_gets_tokens_and_keeps_none(
    committed: Any, race: Any, new_client: Any, amina: Any, superadmin: Any
) -> None:
    made, _none = programs.add(
        superadmin.actor, kind="app", name="Planner", scopes=["profile:read"], redirect_uris=[BACK]
    )
    code = grants.allow_client(
        amina.actor, made, redirect_uri=BACK, scopes=["profile:read"], challenge=create_s256_code_challenge(VERIFIER)
    )
    keep()
    form = {
        "grant_type": "authorization_code", "client_id": made.client_id, "code": code, "redirect_uri": BACK,
        "code_verifier": VERIFIER,
    }  # fmt: skip

    def show() -> int:
        return int(new_client().post("/oauth/token", data=form).status_code)

    results = race([show] * 6)
    assert sorted(results) == [200, 400, 400, 400, 400, 400], results
    families = session().query(TokenFamily).all()
    assert [one.ended_why for one in families] == ["code_reused"]


def test_of_many_who_show_one_refresh_token_one_gets_tokens_and_keeps_none(
    committed: Any, race: Any, new_client: Any, amina: Any, superadmin: Any
) -> None:
    made, _none = programs.add(
        superadmin.actor, kind="app", name="Planner", scopes=["profile:read"], redirect_uris=[BACK]
    )
    told = {"redirect_uri": BACK, "scopes": ["profile:read"], "challenge": create_s256_code_challenge(VERIFIER)}
    code = grants.take_code(made, grants.allow_client(amina.actor, made, **told))
    given = grants.redeem(amina.actor, made, code)
    keep()
    form = {"grant_type": "refresh_token", "client_id": made.client_id, "refresh_token": given.refresh_token}
    results = race([lambda: int(new_client().post("/oauth/token", data=form).status_code)] * 6)
    assert sorted(results) == [200, 400, 400, 400, 400, 400], results
    assert [one.ended_why for one in session().query(TokenFamily).all()] == ["reused"]
