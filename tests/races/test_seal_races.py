"""Sealing beside sealing and beside writing: every event comes under one seal, and the chain holds."""

from __future__ import annotations

from sqlalchemy import func, select

from portal.core import chain, seals
from portal.core.actor import Actor
from portal.core.db import keep, new_id, session
from portal.core.events import Event, record
from portal.core.seals import EventSeal


def test_of_two_sealers_at_once_each_event_has_one_seal(race) -> None:
    for number in range(20):
        record(Actor(user_id=new_id()), "thing.done", number=number)
    made = race([seals.seal] * 3)
    assert [sealing.made is not None for sealing in made].count(True) == 1, made
    assert list(chain.verify()) == []


def test_sealing_while_others_write_loses_and_doubles_nothing(race) -> None:
    def write() -> None:
        for number in range(20):
            record(Actor(user_id=new_id()), "thing.done", number=number)
            keep()

    def sealing() -> None:
        for _ in range(8):
            seals.seal()
            keep()

    assert race([write, sealing, write, sealing, write]) == [None] * 5
    seals.seal()
    keep()
    assert list(chain.verify()) == []
    assert session().scalar(select(func.count()).select_from(Event)) == 60
    assert session().scalar(select(func.sum(EventSeal.count))) == 60
