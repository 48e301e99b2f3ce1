"""Many passwords at once: no more are answered than the limit lets pass, by page and by API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from portal.core.db import session
from portal.domain.identity import links
from portal.domain.identity.models import OneTimeToken, User

MANY = 16


@pytest.mark.race
@pytest.mark.parametrize("door", ["page", "api"])
def test_a_burst_of_wrong_passwords_is_counted_one_by_one(
    committed: Any, race: Any, new_client: Any, amina: Any, with_limits: None, door: str
) -> None:
    told = {"email": amina.email, "password": "wrong password"}

    def show() -> str:
        if door == "api":
            return str(new_client().post("/api/v1/auth/login", json=told).get_json()["code"])
        answer = new_client().post("/account/sign-in", data=told)
        return {401: "sign_in_refused", 303: "mail_code_required"}[answer.status_code]

    assert Counter(race([show] * MANY)) == {"sign_in_refused": 10, "mail_code_required": MANY - 10}


@pytest.mark.race
def test_of_three_living_links_opened_at_once_one_works(committed: Any, race: Any, amina: Any) -> None:
    tokens = [links.make("reset", session().get_one(User, amina.user_id)) for _ in range(3)]
    results = race([lambda token=token: links.use("reset", token) for token in tokens])
    assert Counter(getattr(one, "code", "used") for one in results) == {"used": 1, "gone": 2}
    assert session().query(OneTimeToken).filter_by(used_at=None).count() == 0
