"""Who says how a visit was, who answers, who hides it; a doctor's average is always that of the reviews."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid, NotFound
from portal.core.events import Event
from portal.core.policy import find
from portal.domain.doctors.models import Doctor
from portal.domain.patients import family
from portal.domain.reviews import moderating, reading, writing
from portal.domain.reviews.models import Review
from portal.domain.reviews.shapes import AnswerShape, HideShape, ReviewShape
from portal.domain.scheduling import booking, visits
from tests.builders import at
from tests.domain.patients.test_family import BORN, let
from tests.domain.reviews.visits import reviewed, visit_of


def tally(person: Any) -> tuple[int, int]:
    session().expire_all()
    doctor = session().get_one(Doctor, person.doctor_id)
    return doctor.rating_sum, doctor.rating_count


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> Any:
    """Amina was with Dr Benali."""
    return visit_of(amina, dr_benali, el_djazair)


# --- writing ---


def test_whoever_came_says_how_it_was_and_it_counts(visit: Any, amina: Any, dr_benali: Any) -> None:
    made = reviewed(amina, visit, 5, "Took her time.\n\nExplains well.")
    assert (made.rating, made.doctor_id, made.clinic_id, made.patient_id) == (
        5, dr_benali.doctor_id, visit.clinic_id, amina.patient_id,
    )  # fmt: skip
    assert tally(dr_benali) == (5, 1)
    assert moderating.wrong_tallies() == []


def test_only_a_visit_that_took_place_is_reviewed(
    amina: Any, dr_benali: Any, el_djazair: Any, standing_at: Any
) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    with pytest.raises(writing.NotVisited):
        writing.write(amina.actor, made.id, rating=1)
    with standing_at(at("09:05")):
        visits.mark_no_show(dr_benali.actor, made.id)
    with pytest.raises(writing.NotVisited):
        writing.write(amina.actor, made.id, rating=1)
    assert tally(dr_benali) == (0, 0)


def test_strangers_the_doctor_and_the_desk_write_nothing(visit: Any, yacine: Any, dr_benali: Any, nadia: Any) -> None:
    with pytest.raises(NotFound):
        writing.write(yacine.actor, visit.id, rating=1)
    for other in (dr_benali, nadia):
        with pytest.raises(Forbidden):
            writing.write(other.actor, visit.id, rating=5)


def test_a_mother_reviews_the_visit_of_her_child_and_who_only_looks_does_not(
    amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    held = family.add_dependant(amina.actor, given_name="Ilyes", family_name="Boudiaf", birth_date=BORN)
    keep()
    let(held.patient_id, yacine, "view", granted_by=amina.user_id)
    visit = visit_of(amina, dr_benali, el_djazair, patient_id=held.patient_id)
    with pytest.raises(Forbidden):
        writing.write(yacine.actor, visit.id, rating=1)
    assert reviewed(amina, visit).patient_id == held.patient_id
    assert reading.of_doctor(dr_benali.doctor_id).items[0].by == "Ilyes B."


def test_a_doctor_does_not_review_their_own_visit(dr_benali: Any, el_djazair: Any) -> None:
    from portal.domain.patients import registering

    registering.become_patient(dr_benali.actor)
    keep()
    visit = visit_of(dr_benali, dr_benali, el_djazair)
    assert not writing.may_write(dr_benali.actor, visit)
    with pytest.raises(Conflict) as no:
        writing.write(dr_benali.actor, visit.id, rating=5)
    assert no.value.code == "own_visit"


def test_said_again_it_replaces_what_was_said_for_fourteen_days(
    visit: Any, amina: Any, dr_benali: Any, standing_at: Any
) -> None:
    first = reviewed(amina, visit, 2)
    with standing_at(clock.now() + timedelta(days=13)):
        again = reviewed(amina, visit, 4, "Better than I thought.")
    assert (again.id, again.rating, tally(dr_benali)) == (first.id, 4, (4, 1))
    with standing_at(clock.now() + timedelta(days=15)):
        with pytest.raises(writing.TooLateToChange):
            writing.write(amina.actor, visit.id, rating=1)
        assert writing.write(amina.actor, visit.id, rating=4, text="Better than I thought.").id == first.id
    assert session().scalar(select(func.count()).select_from(Review)) == 1


@pytest.mark.parametrize("wrong", [{"rating": 0}, {"rating": 6}, {}, {"rating": 4, "text": "x" * 2001}])
def test_what_makes_no_review(wrong: Any) -> None:
    with pytest.raises(Invalid):
        ReviewShape.parse(wrong)


# --- reading ---


def test_others_read_a_first_name_an_initial_and_the_month(visit: Any, amina: Any, dr_benali: Any) -> None:
    reviewed(amina, visit)
    (shown,) = reading.of_doctor(dr_benali.doctor_id).items
    assert (shown.by, shown.month, shown.text) == ("Amina B.", visit.starts_at.date().replace(day=1), "Took her time.")
    assert not hasattr(shown, "patient_id")


@pytest.mark.parametrize(
    ("given", "family_name", "short"),
    [
        ("Amina", "Boudiaf", "Amina B."),
        ("Anne Marie", "de Roy", "Anne d."),
        ("أمينة", "بوضياف", "أمينة ب."),
        ("Jo", "", "Jo"),
    ],
)
def test_how_a_writer_is_called(given: str, family_name: str, short: str) -> None:
    assert reading.short_name(given, family_name) == short


def test_how_many_gave_how_much(amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any) -> None:
    reviewed(amina, visit_of(amina, dr_benali, el_djazair), 5)
    reviewed(yacine, visit_of(yacine, dr_benali, el_djazair, "10:00"), 3)
    assert reading.spread(dr_benali.doctor_id) == {5: 1, 4: 0, 3: 1, 2: 0, 1: 0}


# --- the answer ---


def test_the_doctor_answers_and_may_write_it_anew(visit: Any, amina: Any, dr_benali: Any) -> None:
    made = reviewed(amina, visit)
    writing.answer(dr_benali.actor, made.id, answer="Thank you.")
    writing.answer(dr_benali.actor, made.id, answer="Thank you, Amina.")
    keep()
    assert reading.of_doctor(dr_benali.doctor_id).items[0].answer == "Thank you, Amina."
    names = session().scalars(select(Event.name).where(Event.subject_id == made.id).order_by(Event.seq)).all()
    assert names == ["review.written", "review.answered", "review.answer_changed"]


def test_nobody_else_answers(visit: Any, amina: Any, dr_haddad: Any, admin: Any, superadmin: Any) -> None:
    made = reviewed(amina, visit)
    for other in (amina, dr_haddad, admin, superadmin):
        with pytest.raises(Forbidden):
            writing.answer(other.actor, made.id, answer="No.")


def test_a_hidden_review_is_not_answered(visit: Any, amina: Any, dr_benali: Any, admin: Any) -> None:
    made = reviewed(amina, visit)
    moderating.hide(admin.actor, made.id, reason="Names a nurse")
    with pytest.raises(writing.HiddenReview):
        writing.answer(dr_benali.actor, made.id, answer="No.")


@pytest.mark.parametrize("wrong", [{"answer": ""}, {"answer": "x" * 2001}, {}])
def test_what_makes_no_answer(wrong: Any) -> None:
    with pytest.raises(Invalid):
        AnswerShape.parse(wrong)


# --- hiding ---


def test_an_admin_of_the_clinic_hides_with_a_reason_and_shows_again(
    visit: Any, amina: Any, yacine: Any, dr_benali: Any, admin: Any
) -> None:
    made = reviewed(amina, visit, 1)
    moderating.hide(admin.actor, made.id, reason="Names a nurse")
    keep()
    assert (tally(dr_benali), reading.of_doctor(dr_benali.doctor_id).items) == ((0, 0), [])
    assert find(amina.actor, Review, made.id).hidden_reason == "Names a nurse"
    with pytest.raises(NotFound):
        find(yacine.actor, Review, made.id)
    moderating.hide(admin.actor, made.id, reason="Again")
    assert find(amina.actor, Review, made.id).hidden_reason == "Names a nurse"
    moderating.show(admin.actor, made.id)
    moderating.show(admin.actor, made.id)
    assert tally(dr_benali) == (1, 1)
    assert moderating.wrong_tallies() == []


def test_a_hidden_review_that_is_changed_does_not_count(visit: Any, amina: Any, dr_benali: Any, admin: Any) -> None:
    made = reviewed(amina, visit, 1)
    moderating.hide(admin.actor, made.id, reason="Names a nurse")
    reviewed(amina, visit, 5, "Sorry.")
    assert tally(dr_benali) == (0, 0)
    moderating.show(admin.actor, made.id)
    assert (tally(dr_benali), moderating.wrong_tallies()) == ((5, 1), [])


def test_others_hide_nothing(visit: Any, amina: Any, nadia: Any, dr_benali: Any, kamel: Any) -> None:
    made = reviewed(amina, visit, 1)
    for other in (amina, nadia, dr_benali, kamel):
        for verb in (lambda who: moderating.hide(who, made.id, reason="No"), lambda who: moderating.show(who, made.id)):
            with pytest.raises(Forbidden):
                verb(other.actor)
    assert tally(dr_benali) == (1, 1)


def test_an_admin_who_is_the_doctor_does_not_hide_what_is_said_of_them(
    visit: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    from portal.domain.clinics.models import Clinic
    from portal.domain.identity.models import User
    from tests.builders import make_member

    user, clinic = session().get_one(User, dr_benali.user_id), session().get_one(Clinic, el_djazair.clinic_id)
    make_member(user, clinic, "admin")
    made = reviewed(amina, visit, 1)
    with pytest.raises(Conflict) as no:
        moderating.hide(dr_benali.actor, made.id, reason="Unfair")
    assert no.value.code == "own_review"


def test_hiding_needs_a_reason() -> None:
    with pytest.raises(Invalid):
        HideShape.parse({"reason": " "})


def test_lists_of_the_doctor_and_of_the_admin(
    visit: Any, amina: Any, yacine: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, admin: Any, kamel: Any
) -> None:
    bad = reviewed(amina, visit, 1)
    good = reviewed(yacine, visit_of(yacine, dr_benali, el_djazair, "10:00"), 5)
    writing.answer(dr_benali.actor, good.id, answer="Thank you.")
    moderating.hide(admin.actor, bad.id, reason="Names a nurse")
    keep()
    assert [one.id for one in reading.about_me(dr_benali.actor).items] == [good.id, bad.id]
    assert reading.about_me(dr_benali.actor, unanswered_only=True).items == []
    assert reading.about_me(dr_haddad.actor).items == []
    assert [one.id for one in reading.of_clinics(admin.actor, hidden=True).items] == [bad.id]
    assert [one.id for one in reading.of_clinics(admin.actor, hidden=False).items] == [good.id]
    assert [one.id for one in reading.of_clinics(admin.actor, most=2).items] == [bad.id]
    for other in (amina, kamel, dr_benali):
        with pytest.raises(Forbidden):
            reading.of_clinics(other.actor)
    with pytest.raises(NotFound):
        reading.one_about_me(dr_haddad.actor, good.id)
    with pytest.raises(NotFound):
        reading.one_of_clinics(amina.actor, good.id)


def test_a_tally_that_went_wrong_is_found(visit: Any, amina: Any, dr_benali: Any) -> None:
    reviewed(amina, visit, 3)
    session().get_one(Doctor, dr_benali.doctor_id).rating_sum += 1
    session().flush()
    assert moderating.wrong_tallies() == [dr_benali.doctor_id]
