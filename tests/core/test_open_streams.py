"""How many streams an account may have open, wherever they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from portal.core import clock, live, open_streams
from portal.core.clock import standing_at
from portal.core.open_streams import FORGOTTEN_AFTER, OpenStream, TooManyStreams

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(params=["with Redis", "without Redis"])
def account(request: Any, ground: Any, number: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[UUID]:
    """An account that may have three streams."""
    monkeypatch.setattr(open_streams, "_at_most", 3)
    if request.param == "without Redis":
        live.connect("redis://127.0.0.1:1/0")
    yield uuid4()
    live.connect(ground.redis_of(number))
    assert not open_streams._here


def test_a_page_takes_the_place_of_the_oldest(account: UUID) -> None:
    mine = [OpenStream.of_page(account) for _ in range(4)]
    assert [one.may_go_on() for one in mine] == [False, True, True, True]
    others = OpenStream.of_page(uuid4())
    assert others.may_go_on()
    for one in [*mine, others]:
        one.close()


def test_a_program_is_refused_until_one_has_left(account: UUID) -> None:
    mine = [OpenStream.of_page(account), OpenStream.of_program(account), OpenStream.of_program(account)]
    for _ in range(2):
        with pytest.raises(TooManyStreams) as refused:
            OpenStream.of_program(account)
        assert refused.value.retry_after > 0
    assert all(one.may_go_on() for one in mine)
    mine.pop().close()
    mine.append(OpenStream.of_program(account))
    for one in [*mine, *mine]:
        one.close()


def test_the_streams_of_a_process_that_fell_are_forgotten(account: UUID) -> None:
    fallen = [OpenStream.of_program(account) for _ in range(3)]
    with standing_at(clock.now() + timedelta(seconds=FORGOTTEN_AFTER + 1)):
        living = OpenStream.of_program(account)
        assert living.may_go_on()
    for one in [*fallen, living]:
        one.close()
