"""Answers to a change: accept, choose, cancel; who does not answer is called, and nothing is cancelled in silence."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.domain.access import acting
from portal.domain.changes import answering, applying, listing
from portal.domain.changes.models import Proposal
from portal.domain.changes.refusals import Answered, TimeNotKept
from portal.domain.clinics.models import Clinic
from portal.domain.scheduling import booking
from portal.domain.scheduling.models import Appointment, Hold, VisitType
from portal.domain.scheduling.planning import CallItem
from portal.domain.scheduling.refusals import NotOffered, TooLate
from portal.domain.upkeep import prune_occupancy
from tests.builders import at, make_patient, register_at, working_day


@pytest.fixture
def asked(plan: Any, book: Any, dr_benali: Any) -> Any:
    """A function that books for somebody, takes the day off and gives the proposal of the visit."""

    def ask(person: Any, wall: str = "09:00", decision: str = "move", ahead: int = 2) -> Proposal:
        visit = book(person, wall, ahead)
        change = plan(first=working_day(ahead), last=working_day(ahead))
        found = {line.visit.id: line.proposal for line in listing.show(dr_benali.actor, change.id).lines}
        applying.apply(dr_benali.actor, change.id, {found[visit.id].id: decision})
        keep()
        return session().get_one(Proposal, found[visit.id].id)

    return ask


def visit_of(proposal: Proposal) -> Appointment:
    session().expire_all()
    return session().get_one(Appointment, proposal.appointment_id)


def test_accepting_moves_the_visit_to_the_held_time(asked: Any, amina: Any) -> None:
    proposal = asked(amina)
    wanted = proposal.starts_at
    answering.accept(amina.actor, proposal.id)
    visit = visit_of(proposal)
    assert (visit.starts_at, visit.moves, visit.status) == (wanted, 0, "confirmed")
    assert (proposal.answer, proposal.hold_id) == ("accepted", None)
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_accepting_twice_is_accepting_once(asked: Any, amina: Any) -> None:
    proposal = asked(amina)
    answering.accept(amina.actor, proposal.id)
    assert answering.accept(amina.actor, proposal.id).answer == "accepted"
    assert visit_of(proposal).version == 2


def test_accepting_is_bound_by_no_limit_of_the_patients(asked: Any, amina: Any, el_djazair: Any, book: Any) -> None:
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    kind.most_moves, kind.cutoff_minutes, kind.confirms = 0, 60 * 24 * 30, "by_doctor"
    keep()
    proposal = asked(amina)
    visit = visit_of(proposal)
    visit.status = "confirmed"
    keep()
    answering.accept(amina.actor, proposal.id)
    assert (visit_of(proposal).status, visit_of(proposal).moves) == ("confirmed", 0)


def test_another_time_is_chosen(asked: Any, amina: Any) -> None:
    proposal = asked(amina)
    week = answering.choices(amina.actor, proposal.id, working_day(3)).week
    wanted = [slot.starts_at for _day, slots in week.days for slot in slots][-1]
    answering.choose(amina.actor, proposal.id, starts_at=wanted)
    visit = visit_of(proposal)
    assert (visit.starts_at, visit.moves, proposal.answer) == (wanted, 0, "chosen")
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_the_clinic_may_let_the_patient_choose(asked: Any, amina: Any) -> None:
    proposal = asked(amina, decision="choose")
    assert proposal.hold_id is None
    with pytest.raises(TimeNotKept):
        answering.accept(amina.actor, proposal.id)
    answering.choose(amina.actor, proposal.id, starts_at=at("14:00", 5))
    assert visit_of(proposal).starts_at == at("14:00", 5)


def test_no_time_in_the_closure_is_chosen(asked: Any, amina: Any) -> None:
    proposal = asked(amina)
    with pytest.raises(NotOffered):
        answering.choose(amina.actor, proposal.id, starts_at=at("11:00"))


def test_no_other_doctor_is_chosen_but_a_colleague(asked: Any, amina: Any, dr_haddad: Any) -> None:
    proposal = asked(amina)
    with pytest.raises(NotFound):
        answering.choose(amina.actor, proposal.id, starts_at=at("11:00", 5), practice_id=dr_haddad.practice_id)
    with pytest.raises(NotFound):
        answering.choices(amina.actor, proposal.id, None, dr_haddad.practice_id)


def test_calling_it_off_names_the_clinics_reason(asked: Any, amina: Any, el_djazair: Any) -> None:
    kind = session().get_one(VisitType, el_djazair.consultation_id)
    kind.cutoff_minutes = 60 * 24 * 30
    keep()
    proposal = asked(amina)
    answering.call_off(amina.actor, proposal.id)
    visit = visit_of(proposal)
    assert (visit.status, visit.end_code, visit.ended_by) == ("cancelled", "doctor_away", "patient")
    assert proposal.answer == "cancelled"
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_what_was_answered_is_not_answered_otherwise(asked: Any, amina: Any) -> None:
    proposal = asked(amina)
    answering.accept(amina.actor, proposal.id)
    for again in (
        lambda: answering.call_off(amina.actor, proposal.id),
        lambda: answering.choose(amina.actor, proposal.id, starts_at=at("11:00", 5)),
        lambda: answering.choices(amina.actor, proposal.id),
    ):
        with pytest.raises(Answered):
            again()


@pytest.mark.parametrize("who", ["yacine", "dr_haddad", "kamel"])
def test_nobody_else_answers(request: Any, asked: Any, amina: Any, who: str) -> None:
    proposal = asked(amina)
    actor = request.getfixturevalue(who).actor
    for answer in (answering.accept, answering.call_off, answering.choices):
        with pytest.raises(NotFound):
            answer(actor, proposal.id)
    with pytest.raises(NotFound):
        listing.for_patient(actor, proposal.change_id)


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "admin", "superadmin"])
def test_the_clinics_people_arrange_it_on_the_phone(request: Any, asked: Any, amina: Any, who: str) -> None:
    proposal = asked(amina)
    wanted = proposal.starts_at
    answering.accept(request.getfixturevalue(who).actor, proposal.id)
    assert (visit_of(proposal).starts_at, proposal.answer) == (wanted, "called")


def test_a_carer_answers_for_whom_they_book(asked: Any, book: Any, amina: Any, yacine: Any) -> None:
    proposal = asked(amina)
    carer = replace(yacine.actor, dependants={amina.patient_id: frozenset({"view", "book"})})
    onlooker = replace(yacine.actor, dependants={amina.patient_id: frozenset({"view"})})
    with pytest.raises(NotFound):
        answering.accept(onlooker, proposal.id)
    assert listing.for_patient(onlooker, proposal.change_id).lines
    answering.accept(carer, proposal.id)
    assert proposal.answer == "accepted"


def test_the_link_in_the_message_answers(asked: Any, amina: Any, mailbox: Any) -> None:
    proposal = asked(amina)
    claim = acting.read(mailbox.link(amina.email, "/go/").rpartition("/")[2])
    actor = acting.actor_for(claim, Actor(), None)
    assert (claim.purpose, claim.subject_id) == ("change", proposal.id)
    answering.accept(actor, proposal.id)
    assert session().get_one(Proposal, proposal.id).answer == "accepted"


def test_a_patient_without_an_account_is_written_to_and_answers(
    plan: Any, nadia: Any, dr_benali: Any, el_djazair: Any, mailbox: Any
) -> None:
    patient = make_patient(given_name="Zohra", email="zohra@example.dz")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    booking.book(
        nadia.actor,
        practice_id=dr_benali.practice_id,
        visit_type_id=el_djazair.consultation_id,
        starts_at=at("09:00"),
        patient_id=patient.id,
    )
    keep()
    change = plan()
    applying.apply(dr_benali.actor, change.id, {})
    claim = acting.read(mailbox.link("zohra@example.dz", "/go/").rpartition("/")[2])
    (line,) = listing.by_message(acting.actor_for(claim, Actor(), None), claim.subject_id).lines
    answering.accept(acting.actor_for(claim, Actor(), None), line.proposal.id)
    assert line.proposal.answer == "accepted"


def test_who_does_not_answer_is_called_and_the_visit_stands(
    asked: Any, amina: Any, drain: Any, standing_at: Any
) -> None:
    proposal = asked(amina)
    was, until = visit_of(proposal).starts_at, proposal.answer_until
    with standing_at(until - timedelta(minutes=1)):
        drain()
        assert session().scalar(select(func.count()).select_from(CallItem)) == 0
    with standing_at(until + timedelta(minutes=1)):
        drain()
        call = session().scalars(select(CallItem)).one()
        assert (call.code, call.patient_id, call.appointment_id) == (
            "change_unanswered",
            amina.patient_id,
            proposal.appointment_id,
        )
        assert (visit_of(proposal).status, visit_of(proposal).starts_at) == ("confirmed", was)
        (line,) = listing.waiting(amina.actor)
        assert (line.standing, session().get_one(Hold, proposal.hold_id).is_over) == ("calling", False)
        answering.accept(amina.actor, proposal.id)
        assert session().get_one(CallItem, call.id).outcome == "not_needed"


def test_a_late_answer_finds_the_time_gone_but_may_choose(asked: Any, amina: Any, drain: Any, standing_at: Any) -> None:
    proposal, another = asked(amina, ahead=9), at("11:00", 6)
    with standing_at(session().get_one(Hold, proposal.hold_id).expires_at):
        prune_occupancy()
        drain()
        with pytest.raises(TimeNotKept):
            answering.accept(amina.actor, proposal.id)
        assert [line.place for line in listing.waiting(amina.actor)] == [None]
        answering.choose(amina.actor, proposal.id, starts_at=another)
        assert proposal.answer == "chosen"


def test_a_hold_that_expired_is_not_accepted(asked: Any, amina: Any) -> None:
    proposal = asked(amina)
    session().get_one(Hold, proposal.hold_id).expires_at = proposal.created_at
    keep()
    with pytest.raises(TimeNotKept):
        answering.accept(amina.actor, proposal.id)
    answering.choose(amina.actor, proposal.id, starts_at=at("11:00", 6))
    assert proposal.answer == "chosen"


def test_after_the_visits_own_time_nothing_is_answered(asked: Any, amina: Any, standing_at: Any) -> None:
    proposal = asked(amina)
    with standing_at(visit_of(proposal).starts_at + timedelta(minutes=1)):
        with pytest.raises(TooLate):
            answering.call_off(amina.actor, proposal.id)
        assert listing.waiting(amina.actor) == []


@pytest.mark.parametrize(
    ("who", "what", "answer"),
    [("nadia", "move", "called"), ("nadia", "cancel", "called"), ("amina", "move", "chosen"),
     ("amina", "cancel", "cancelled")],
)  # fmt: skip
def test_what_is_done_by_another_way_settles_it(
    request: Any, asked: Any, amina: Any, drain: Any, el_djazair: Any, who: str, what: str, answer: str
) -> None:
    session().get_one(VisitType, el_djazair.consultation_id).cutoff_minutes = 0
    keep()
    proposal = asked(amina)
    drain()
    actor = request.getfixturevalue(who).actor
    if what == "move":
        booking.reschedule(actor, proposal.appointment_id, starts_at=at("10:00", 7))
    else:
        booking.cancel(actor, proposal.appointment_id)
    drain()
    assert session().get_one(Proposal, proposal.id).answer == answer
    assert session().scalar(select(func.count()).select_from(Hold)) == 0


def test_a_move_before_the_change_settles_nothing(asked: Any, book: Any, amina: Any, drain: Any, nadia: Any) -> None:
    """The task of an old event may come late: what was asked afterwards stays open."""
    early = book(amina, "14:00", ahead=7)
    booking.reschedule(nadia.actor, early.id, starts_at=at("15:00"))
    asked(amina)
    other = session().scalars(select(Proposal.id).where(Proposal.appointment_id == early.id)).one()
    drain()
    assert session().get_one(Proposal, other).answer is None
