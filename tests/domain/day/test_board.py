"""The public board: numbers, never names."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.domain.clinics.models import Clinic
from portal.domain.day import board
from portal.domain.scheduling import visits
from tests.builders import at


@pytest.fixture(autouse=True)
def with_board(el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).has_board = True
    keep()


@pytest.fixture
def shown(el_djazair: Any, standing_at: Any) -> Any:
    """The board at this wall time."""

    def do(wall: str = "09:00") -> board.Board:
        with standing_at(at(wall)):
            return board.of(el_djazair.slug)

    return do


def test_a_clinic_without_a_board_has_none(shown: Any, el_djazair: Any) -> None:
    session().get_one(Clinic, el_djazair.clinic_id).has_board = False
    with pytest.raises(NotFound):
        shown()


def test_who_is_called_who_is_inside_and_who_waits(booked: Any, nadia: Any, shown: Any, standing_at: Any) -> None:
    assert shown().lines == ()
    with standing_at(at("08:50")):
        visits.check_in(nadia.actor, booked.amina)
        visits.check_in(nadia.actor, booked.yacine)
    assert shown().lines[0].waiting == (1, 2)
    with standing_at(at("09:00")):
        visits.call(nadia.actor, booked.amina)
    (line,) = shown().lines
    assert [call.number for call in line.called] == [1]
    assert line.waiting == (2,)
    with standing_at(at("09:01")):
        visits.start(nadia.actor, booked.amina)
    (line,) = shown("09:02").lines
    assert (line.called, line.inside, line.doctor) == ((), (1,), "Dr Samira Benali")


def test_the_board_changes_with_what_happens_and_only_then(
    booked: Any, nadia: Any, shown: Any, standing_at: Any
) -> None:
    with standing_at(at("08:50")):
        visits.check_in(nadia.actor, booked.amina)
    seen = [shown("08:51").lines, shown("08:52").lines]
    with standing_at(at("09:00")):
        visits.call(nadia.actor, booked.amina)
    seen += [shown("09:00").lines, shown("09:05").lines]
    assert seen[0] == seen[1]
    assert len(set(seen)) == 3  # the call is new at first, and then it is not


def test_nothing_of_a_patient_is_read_for_it(booked: Any, nadia: Any, shown: Any, standing_at: Any) -> None:
    with standing_at(at("08:50")):
        visits.check_in(nadia.actor, booked.amina)
    keep()
    session().expunge_all()
    assert "Amina" not in repr(shown().lines)
    assert not [row for row in session() if type(row).__name__ == "Patient"]
