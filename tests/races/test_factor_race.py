"""At the same moment: one code lets one in, one recovery code too, and one set-up of two is confirmed."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest

from portal.core import clock
from portal.core.actor import Actor
from portal.core.clock import standing_at
from portal.core.db import session
from portal.domain.identity import challenges, factors, second_step, sessions
from tests.apps import Phone
from tests.builders import PASSWORD

HERE = Actor(door="web", address="10.0.0.1")
MANY = 8


def outcomes(results: list[Any]) -> Counter[str]:
    return Counter(getattr(one, "code", "in") for one in results)


def challenge_for(person: Any) -> str:
    with pytest.raises(challenges.SecondFactorRequired) as asked:
        sessions.sign_in(HERE, person.email, PASSWORD)
    return asked.value.challenge


@pytest.mark.race
@pytest.mark.parametrize("which", ["of the app", "for recovery"])
def test_one_code_shown_many_times_at_once_lets_one_in(committed: Any, race: Any, amina: Any, which: str) -> None:
    phone = Phone(amina).set_up()
    challenge = challenge_for(amina)
    later = clock.now() + timedelta(minutes=2)
    with standing_at(later):
        code = phone.code() if which == "of the app" else phone.codes[0]

    def show() -> Any:
        with standing_at(later):
            return second_step.open_session(HERE, challenge, code)

    results = race([show] * MANY)
    assert outcomes(results) == {"in": 1, "wrong_code": MANY - 1}
    session().rollback()
    assert len(sessions.mine(amina.actor)) == 1


@pytest.mark.race
def test_one_set_up_confirmed_many_times_at_once_makes_ten_codes(committed: Any, race: Any, amina: Any) -> None:
    factors.begin(amina.actor)
    actor, code = amina.actor, Phone(amina).code()
    results = race([lambda: factors.confirm(actor, code)] * 4)
    assert outcomes(results) == {"in": 1, "second_factor_not_begun": 3}
    session().rollback()
    standing = factors.of(amina.user_id)
    assert standing and standing.codes_left == 10


@pytest.mark.race
def test_beginning_twice_at_once_leaves_one_secret(committed: Any, race: Any, amina: Any) -> None:
    actor = amina.actor
    assert outcomes(race([lambda: factors.begin(actor)] * 6)) == {"in": 6}
    session().rollback()
    assert factors.pending(actor, "Portal") == factors.pending(actor, "Portal") is not None
