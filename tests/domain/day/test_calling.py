"""Asking the next patient in."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.domain.day import calling
from portal.domain.scheduling import visits
from portal.domain.scheduling.models import Appointment
from tests.builders import at


@pytest.fixture
def here(booked: Any, nadia: Any, standing_at: Any) -> Any:
    """Both have checked in, Yacine first."""
    with standing_at(at("08:45")):
        visits.check_in(nadia.actor, booked.yacine)
        visits.check_in(nadia.actor, booked.amina)
    keep()
    return booked


@pytest.fixture
def call(el_djazair: Any, dr_benali: Any, standing_at: Any) -> Any:
    """Call next at nine."""
    nine = at("09:00")

    def do(who: Any, **more: Any) -> Appointment:
        with standing_at(nine):
            return calling.call_next(who.actor, el_djazair.clinic_id, dr_benali.doctor_id, **more)

    return do


def test_the_next_in_turn_is_called(here: Any, call: Any, nadia: Any) -> None:
    called = call(nadia)
    assert (called.id, called.called_at, called.status) == (here.amina, at("09:00"), "checked_in")


def test_calling_again_calls_the_one_behind(here: Any, call: Any, nadia: Any) -> None:
    assert [call(nadia).id, call(nadia).id] == [here.amina, here.yacine]
    with pytest.raises(calling.NobodyWaits):
        call(nadia)


def test_whoever_was_called_meanwhile_is_not_called_by_a_stale_page(here: Any, call: Any, nadia: Any) -> None:
    call(nadia, expected=here.amina)
    with pytest.raises(calling.CalledMeanwhile):
        call(nadia, expected=here.amina)
    assert session().get_one(Appointment, here.yacine).called_at is None


def test_with_nobody_here_nobody_is_called(booked: Any, call: Any, nadia: Any) -> None:
    with pytest.raises(calling.NobodyWaits):
        call(nadia)


@pytest.mark.parametrize("who", ["nadia", "admin", "superadmin", "dr_benali"])
def test_the_desk_and_the_doctor_call(request: Any, here: Any, call: Any, who: str) -> None:
    assert call(request.getfixturevalue(who)).id == here.amina


@pytest.mark.parametrize("who", ["kamel", "dr_haddad", "amina", "yacine"])
def test_nobody_else_calls(request: Any, here: Any, call: Any, who: str) -> None:
    with pytest.raises(NotFound):
        call(request.getfixturevalue(who))


def test_whoever_was_moved_to_the_front_is_called_first(here: Any, call: Any, nadia: Any) -> None:
    visits.move_to_front(nadia.actor, here.yacine, code="cannot_wait")
    assert call(nadia).id == here.yacine


def test_whoever_is_sent_back_has_their_place_again(here: Any, call: Any, nadia: Any) -> None:
    call(nadia)
    visits.send_back(nadia.actor, here.amina)
    assert call(nadia).id == here.amina
