"""After a visit: the question how it was, once and two hours later; the doctor, and what became of the review."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.clock import standing_at
from portal.core.db import keep
from portal.domain.notifications import inbox
from portal.domain.reviews import moderating, writing
from portal.domain.scheduling import booking, visits
from tests.builders import at
from tests.domain.patients.test_family import child_of
from tests.domain.reviews.visits import reviewed, visit_of


def kinds_of(person: Any) -> list[str]:
    return [line.kind for line in inbox.mine(person.actor) if line.kind.startswith(("review.", "doctor.review"))]


def test_two_hours_after_a_visit_the_patient_is_asked_once(
    amina: Any, dr_benali: Any, el_djazair: Any, drain: Any, mailbox: Any
) -> None:
    visit = visit_of(amina, dr_benali, el_djazair)
    with standing_at(at("10:55")):
        drain()
        assert kinds_of(amina) == []
    with standing_at(at("11:05")):
        drain()
        assert kinds_of(amina) == ["review.invited"]
        assert f"/patient/appointments/{visit.id}/review" in mailbox.text(amina.email)
        drain()
        assert kinds_of(amina) == ["review.invited"]


def test_who_did_not_come_is_not_asked(amina: Any, dr_benali: Any, el_djazair: Any, drain: Any) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    with standing_at(at("09:30")):
        visits.mark_no_show(dr_benali.actor, made.id)
    with standing_at(at("15:00")):
        drain()
    assert kinds_of(amina) == []


def test_a_visit_that_was_completed_by_mistake_is_not_asked_about(
    amina: Any, dr_benali: Any, el_djazair: Any, drain: Any
) -> None:
    visit = visit_of(amina, dr_benali, el_djazair)
    with standing_at(at("09:10")):
        visits.take_back(dr_benali.actor, visit.id)
        keep()
    with standing_at(at("12:00")):
        drain()
        assert kinds_of(amina) == []
        visits.complete(dr_benali.actor, visit.id)
        keep()
    with standing_at(at("15:00")):
        drain()
        assert kinds_of(amina) == ["review.invited"]


def test_who_has_written_already_is_not_asked(amina: Any, dr_benali: Any, el_djazair: Any, drain: Any) -> None:
    visit = visit_of(amina, dr_benali, el_djazair)
    reviewed(amina, visit)
    with standing_at(at("15:00")):
        drain()
    assert kinds_of(amina) == []


def test_a_mother_is_asked_about_her_child(
    amina: Any, dr_benali: Any, el_djazair: Any, drain: Any, mailbox: Any
) -> None:
    held = child_of(amina)
    visit_of(amina, dr_benali, el_djazair, patient_id=held.patient_id)
    with standing_at(at("15:00")):
        drain()
        assert "Ilyes Boudiaf has visited" in mailbox.text(amina.email)


def test_the_doctor_hears_of_it_and_the_patient_of_the_answer(
    amina: Any, dr_benali: Any, el_djazair: Any, drain: Any, mailbox: Any
) -> None:
    made = reviewed(amina, visit_of(amina, dr_benali, el_djazair), text="a private matter")
    assert "private matter" not in mailbox.text(dr_benali.email)
    assert kinds_of(dr_benali) == ["doctor.reviewed"]
    writing.answer(dr_benali.actor, made.id, answer="Thank you.")
    assert "has answered" in mailbox.text(amina.email)
    assert kinds_of(amina) == ["review.answered"]
    assert inbox.mine(amina.actor).items[0].url == f"/patient/appointments/{made.appointment_id}/review"


def test_the_patient_is_told_why_it_was_hidden_and_when_it_is_back(
    amina: Any, dr_benali: Any, el_djazair: Any, admin: Any, drain: Any, mailbox: Any
) -> None:
    made = reviewed(amina, visit_of(amina, dr_benali, el_djazair))
    moderating.hide(admin.actor, made.id, reason="It names a nurse")
    assert "It names a nurse" in mailbox.text(amina.email)
    moderating.show(admin.actor, made.id)
    assert "can be read by everybody again" in mailbox.text(amina.email)
    assert kinds_of(amina) == ["review.shown", "review.hidden"]


def test_a_review_hidden_at_once_is_no_news_to_the_doctor(
    amina: Any, dr_benali: Any, el_djazair: Any, admin: Any, mailbox: Any
) -> None:
    made = reviewed(amina, visit_of(amina, dr_benali, el_djazair))
    moderating.hide(admin.actor, made.id, reason="It names a nurse")
    subjects = {str(one["Subject"]) for one in mailbox.to(dr_benali.email)}
    assert subjects and "A patient has written a review" not in subjects


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
def test_every_letter_of_reviews_and_families_can_be_written(app: Any, language: str) -> None:
    from datetime import UTC, datetime
    from uuid import uuid4

    from portal.gateways import mail

    about = {
        "doctor": "Dr B", "appointment_id": uuid4(), "for_whom": "", "reason": "Because", "patient": "Ilyes",
        "carer": "Amina",
        "until": datetime(2030, 1, 1, tzinfo=UTC).date(), "sender": "Amina", "scopes": ["view", "book", "profile"],
        "token": "t", "has_account": False, "is_own": False,
    }  # fmt: skip
    sorts: list[tuple[str, dict[str, Any]]] = [("review_invited", {}), ("review_invited", {"for_whom": "Ilyes"})]
    sorts += [("review_notice", {"what": what}) for what in ("written", "answered", "hidden", "shown")]
    sorts += [
        ("family_notice", {"what": what, "is_carer": mine})
        for what in ("begun", "changed", "ended", "ending")
        for mine in (True, False)
    ]
    sorts += [("family_invitation", {"kind": kind}) for kind in ("care", "record")]
    with app.app_context():
        for letter, more in sorts:
            mail.write("a@example.dz", "Amina", letter, language, f"{letter}:{more}:{language}", **{**about, **more})
