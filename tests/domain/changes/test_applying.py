"""Saving a change: a decision for every visit, one message for every patient, all of it or nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import keep, session, transaction
from portal.core.errors import Invalid, NotFound
from portal.core.tasks import Task
from portal.domain.changes import applying, listing, planning
from portal.domain.changes.models import Proposal
from portal.domain.changes.refusals import ChangeOver, LookAgain
from portal.domain.notifications.models import Delivery, Notification
from portal.domain.scheduling import booking, closures
from portal.domain.scheduling.models import Appointment, Closure, Hold
from tests.builders import at, working_day


def lines(actor: Any, change: Any) -> dict[Any, listing.Line]:
    """The lines of a change by the visit's id, read afresh."""
    session().expire_all()
    return {line.visit.id: line for line in listing.show(actor, change.id).lines}


def count(model: Any) -> int:
    return session().scalar(select(func.count()).select_from(model)) or 0


def test_forty_visits_are_left_with_a_decision_and_a_message_each(
    plan: Any, full_day: Any, dr_benali: Any, drain: Any, mailbox: Any
) -> None:
    visits = full_day(40)
    mailbox._box.clear()
    change = plan()
    applying.apply(dr_benali.actor, change.id, {})
    drain()
    found = lines(dr_benali.actor, change)
    assert set(found) == {visit.id for visit in visits}
    assert all(line.proposal.decision == "move" and line.standing == "open" for line in found.values())
    assert all(
        line.visit.status == "confirmed" and line.visit.starts_at == line.proposal.was for line in found.values()
    )
    letters = [letter for letter in mailbox.all() if "has to change" in str(letter["Subject"])]
    assert len(letters) == 40
    assert len({str(letter["To"]) for letter in letters}) == 40
    for letter in letters:
        said = letter.get_body(("plain",)).get_content()
        assert "We propose" in said and "accept the proposed time, choose another one, or cancel" in said
        assert "/go/change." in said


def test_what_was_decided_is_done(plan: Any, book: Any, amina: Any, yacine: Any, dr_benali: Any) -> None:
    moved, chosen = book(amina, "08:00"), book(amina, "09:00")
    kept, off = book(yacine, "10:00"), book(yacine, "11:00")
    change = plan()
    found = lines(dr_benali.actor, change)
    wanted = {moved.id: "move", chosen.id: "choose", kept.id: "keep", off.id: "cancel"}
    applying.apply(dr_benali.actor, change.id, {found[key].proposal.id: said for key, said in wanted.items()})
    found = lines(dr_benali.actor, change)
    assert {key: line.standing for key, line in found.items()} == {
        moved.id: "open", chosen.id: "open", kept.id: "kept", off.id: "cancelled"
    }  # fmt: skip
    assert [session().get_one(Appointment, key).status for key in wanted] == ["confirmed"] * 3 + ["cancelled"]
    assert session().get_one(Appointment, off.id).end_code == "doctor_away"
    assert (count(Hold), count(Closure)) == (1, 1)
    assert change.state == "applied"


def test_a_patient_with_several_visits_gets_one_message(
    plan: Any, book: Any, amina: Any, dr_benali: Any, drain: Any, mailbox: Any
) -> None:
    book(amina, "08:00"), book(amina, "09:00"), book(amina, "10:00")
    drain()
    mailbox._box.clear()
    applying.apply(dr_benali.actor, plan().id, {})
    (letter,) = mailbox.to(amina.email)
    assert str(letter["Subject"]) == "Your visits have to change: please choose"
    assert letter.get_body(("plain",)).get_content().count("We propose") == 3
    told = session().scalars(select(Notification).where(Notification.kind == "change.asked")).all()
    assert [one.user_id for one in told] == [amina.user_id]


def test_who_is_told_again_is_told_once(
    plan: Any, book: Any, amina: Any, dr_benali: Any, el_djazair: Any, drain: Any
) -> None:
    """The worker may do a task twice: the letter leaves once."""
    from portal.domain.notifications import change_notices

    book(amina)
    change = plan()
    applying.apply(dr_benali.actor, change.id, {})
    drain()
    change_notices.ask(str(change.id), str(amina.patient_id), str(el_djazair.clinic_id))
    drain()
    asked = select(func.count()).where(Delivery.notice == "change.asked")
    assert session().scalar(asked) == 1


def test_a_visit_that_is_cancelled_asks_nobody(
    plan: Any, book: Any, amina: Any, dr_benali: Any, drain: Any, mailbox: Any
) -> None:
    visit = book(amina)
    change = plan()
    found = lines(dr_benali.actor, change)
    mailbox.all()
    mailbox._box.clear()
    applying.apply(dr_benali.actor, change.id, {found[visit.id].proposal.id: "cancel"})
    assert ["cancel" in str(letter["Subject"]) for letter in mailbox.to(amina.email)] == [True]


def test_the_time_waits_for_the_answer(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    visit = book(amina, ahead=8)
    change = plan(first=working_day(8), last=working_day(8))
    applying.apply(dr_benali.actor, change.id, {})
    proposal = lines(dr_benali.actor, change)[visit.id].proposal
    hours = (proposal.answer_until - clock.now()) / timedelta(hours=1)
    assert 47.9 < hours <= 48
    hold = session().get_one(Hold, proposal.hold_id)
    assert timedelta(hours=23.9) < hold.expires_at - proposal.answer_until <= timedelta(hours=24)


def test_the_time_to_answer_ends_before_the_visit(
    plan: Any, book: Any, amina: Any, dr_benali: Any, standing_at: Any
) -> None:
    visit = book(amina, "15:00")
    with standing_at(visit.starts_at - timedelta(hours=9)):
        change = plan()
        applying.apply(dr_benali.actor, change.id, {})
        proposal = lines(dr_benali.actor, change)[visit.id].proposal
        assert proposal.answer_until == visit.starts_at - applying.MARGIN
        assert session().get_one(Hold, proposal.hold_id).expires_at == visit.starts_at


def test_a_visit_booked_after_the_plan_is_caught(plan: Any, book: Any, amina: Any, yacine: Any, dr_benali: Any) -> None:
    book(amina, "09:00")
    change = plan()
    late = book(yacine, "10:00")
    with pytest.raises(LookAgain) as no:
        applying.apply(dr_benali.actor, change.id, {})
    assert no.value.facts["count"] == 1
    assert count(Closure) == 0
    planning.renew(dr_benali.actor, change.id)
    applying.apply(dr_benali.actor, change.id, {})
    assert late.id in lines(dr_benali.actor, change)
    assert count(Closure) == 1


def test_a_visit_moved_or_cancelled_after_the_plan_is_left_alone(
    plan: Any, book: Any, amina: Any, yacine: Any, nadia: Any, dr_benali: Any
) -> None:
    gone, away = book(amina, "09:00"), book(yacine, "10:00")
    change = plan()
    booking.cancel(nadia.actor, gone.id)
    booking.reschedule(nadia.actor, away.id, starts_at=at("15:00", 9))
    applying.apply(dr_benali.actor, change.id, {})
    assert lines(dr_benali.actor, change) == {}
    assert (count(Hold), count(Closure)) == (0, 1)


def test_a_visit_moved_within_the_closure_is_asked_about_as_it_is_now(
    plan: Any, book: Any, amina: Any, nadia: Any, dr_benali: Any
) -> None:
    visit = book(amina, "09:00")
    change = plan()
    booking.reschedule(nadia.actor, visit.id, starts_at=at("11:00"))
    applying.apply(dr_benali.actor, change.id, {})
    proposal = lines(dr_benali.actor, change)[visit.id].proposal
    assert (proposal.was, proposal.version) == (at("11:00"), 2)


def test_a_held_time_that_went_back_is_not_promised(
    plan: Any, book: Any, amina: Any, dr_benali: Any, standing_at: Any
) -> None:
    book(amina, ahead=3)
    change = plan(first=working_day(3), last=working_day(3))
    with standing_at(change.held_until + timedelta(seconds=1)):
        with pytest.raises(LookAgain):
            applying.apply(dr_benali.actor, change.id, {})
        assert count(Closure) == 0
        planning.drop_stale()
        with pytest.raises(LookAgain):
            applying.apply(dr_benali.actor, change.id, {})
        planning.renew(dr_benali.actor, change.id)
        applying.apply(dr_benali.actor, change.id, {})
    assert change.state == "applied"


def test_a_visit_without_a_decision_stops_everything(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    visit = book(amina)
    change = plan()
    proposal = lines(dr_benali.actor, change)[visit.id].proposal
    with pytest.raises(Invalid):
        applying.apply(dr_benali.actor, change.id, {proposal.id: "perhaps"})
    assert (count(Closure), visit.status) == (0, "confirmed")


def test_it_is_saved_once(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    book(amina)
    change = plan()
    applying.apply(dr_benali.actor, change.id, {})
    with pytest.raises(ChangeOver):
        applying.apply(dr_benali.actor, change.id, {})
    assert count(Closure) == 1


@pytest.mark.parametrize("who", ["dr_haddad", "kamel", "amina"])
def test_strangers_save_nothing(request: Any, who: str, plan: Any, book: Any, yacine: Any) -> None:
    book(yacine)
    change = plan()
    with pytest.raises(NotFound):
        applying.apply(request.getfixturevalue(who).actor, change.id, {})


def test_the_desk_saves_what_the_doctor_planned(plan: Any, book: Any, amina: Any, nadia: Any) -> None:
    book(amina)
    assert applying.apply(nadia.actor, plan().id, {}).state == "applied"


def test_a_second_change_over_the_same_visit_asks_anew(
    plan: Any, book: Any, amina: Any, admin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    visit = book(amina)
    first = plan()
    applying.apply(dr_benali.actor, first.id, {})
    second = planning.save_or_plan(admin.actor, "holiday", el_djazair.clinic_id, day=working_day(), name="Eid")
    applying.apply(admin.actor, second.id, {})
    assert lines(dr_benali.actor, first) == {}
    assert set(lines(admin.actor, second)) == {visit.id}
    assert count(Hold) == 1


def test_when_the_letters_cannot_be_queued_nothing_happened(
    plan: Any, book: Any, amina: Any, dr_benali: Any, monkeypatch: Any
) -> None:
    """Whatever breaks in the middle, the request is undone whole; saved again it is whole."""
    visit = book(amina)
    change = plan()
    real = applying.record

    def broken(*args: Any, **facts: Any) -> Any:
        raise RuntimeError("the power went off")

    monkeypatch.setattr(applying, "record", broken)
    with pytest.raises(RuntimeError), transaction():
        applying.apply(dr_benali.actor, change.id, {})
    session().expire_all()
    assert (count(Closure), session().get_one(type(change), change.id).state) == (0, "draft")
    assert session().scalar(select(func.count()).where(Task.key.like("change:%"))) == 0
    monkeypatch.setattr(applying, "record", real)
    applying.apply(dr_benali.actor, change.id, {})
    keep()
    assert count(Closure) == 1
    assert session().scalar(select(func.count()).where(Task.key.like("change:%:unanswered"))) == 1
    assert lines(dr_benali.actor, change)[visit.id].standing == "open"


def test_what_is_kept_stands_inside_the_closure(plan: Any, book: Any, amina: Any, dr_benali: Any) -> None:
    visit = book(amina)
    change = plan()
    proposal = lines(dr_benali.actor, change)[visit.id].proposal
    applying.apply(dr_benali.actor, change.id, {proposal.id: "keep"})
    assert (visit.status, visit.starts_at) == ("confirmed", at("09:00"))
    closures.reopen(dr_benali.actor, session().scalars(select(Closure.id)).one())
    assert session().get_one(Proposal, proposal.id).decision == "keep"


def test_lists_tell_how_it_stands(plan: Any, book: Any, amina: Any, dr_benali: Any, nadia: Any, kamel: Any) -> None:
    visit = book(amina)
    change = plan()
    assert [one.change.state for one in listing.recent(dr_benali.actor)] == ["draft"]
    applying.apply(dr_benali.actor, change.id, {})
    (one,) = listing.recent(nadia.actor)
    assert one.counts == {"open": 1}
    assert listing.recent(kamel.actor) == []
    assert listing.asked_about([visit.id]) == {visit.id: change.id}
    assert [line.visit.id for line in listing.waiting(amina.actor)] == [visit.id]
