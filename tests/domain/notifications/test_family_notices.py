"""Families: both sides know when care begins, changes and ends, and carers are warned before it ends by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from portal.core import clock
from portal.core.clock import standing_at
from portal.domain.notifications import inbox
from portal.domain.notifications.family_notices import warn_of_endings
from portal.domain.patients import care, family
from tests.domain.patients.test_family import BORN, TODAY, child_of, let


def said_to(person: Any) -> list[str]:
    return [line.said for line in inbox.mine(person.actor) if line.kind.startswith("family.")]


def test_both_sides_hear_of_it_but_not_who_did_it(
    amina: Any, yacine: Any, nadia: Any, drain: Any, mailbox: Any
) -> None:
    held = let(amina.patient_id, yacine, "view", by=amina)
    drain()
    assert said_to(yacine) == ["You can act for Amina Boudiaf now."]
    assert said_to(amina) == []
    family.change(amina.actor, held.id, scopes=["view", "book"])
    drain()
    assert said_to(yacine)[0] == "What you may do for Amina Boudiaf has changed."
    family.end(yacine.actor, held.id)
    drain()
    assert said_to(amina) == ["Yacine Meziane does not act for Amina Boudiaf any more."]
    assert "does not act" in mailbox.text(amina.email)
    assert len(said_to(yacine)) == 2


def test_a_patient_hears_that_the_desk_has_let_somebody_act_for_them(
    amina: Any, yacine: Any, nadia: Any, drain: Any
) -> None:
    let(amina.patient_id, yacine, "view", by=nadia)
    drain()
    assert said_to(amina) == ["Yacine Meziane can act for Amina Boudiaf now."]
    assert said_to(yacine) == ["You can act for Amina Boudiaf now."]


def test_what_was_ended_at_once_is_not_announced_by_mail(amina: Any, yacine: Any, mailbox: Any) -> None:
    held = let(amina.patient_id, yacine, "view", by=amina)
    family.end(amina.actor, held.id)
    subjects = [str(one["Subject"]) for one in mailbox.to(yacine.email)]
    assert subjects == ["Ended: acting for Amina Boudiaf"]


def test_a_parent_is_warned_sixty_and_seven_days_before_the_eighteenth_birthday_once_each(
    amina: Any, drain: Any, mailbox: Any
) -> None:
    child_of(amina)
    eve = care.of_age_on(BORN) - timedelta(days=1)
    told = []
    for left in (70, 60, 59, 30, 7, 6, 1, 0):
        with standing_at(clock.now() + (eve - TODAY) - timedelta(days=left)):
            warn_of_endings()
            drain()
            told.append(len(said_to(amina)))
    assert told == [0, 1, 1, 1, 2, 2, 2, 2]
    assert "can act for Ilyes Boudiaf until" in said_to(amina)[0]
    assert "hand the record over" in mailbox.text(amina.email)


def test_care_without_an_end_and_care_that_is_over_warn_nobody(amina: Any, yacine: Any, drain: Any) -> None:
    let(amina.patient_id, yacine, "view", by=amina)
    ended = let(amina.patient_id, yacine, "view", by=amina, until=TODAY + timedelta(days=30))
    family.end(amina.actor, ended.id)
    drain()
    before = len(said_to(yacine))
    with standing_at(clock.now() + timedelta(days=25)):
        warn_of_endings()
        drain()
    assert len(said_to(yacine)) == before
