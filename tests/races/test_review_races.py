"""At the same moment: one review of one visit, an average that is right, one child, an invitation that counts once."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import func, select

from portal.core.db import keep, session
from portal.domain.doctors import favourites
from portal.domain.doctors.models import Doctor, Favourite
from portal.domain.patients import accepting, family, inviting
from portal.domain.patients.models import Delegation, Patient
from portal.domain.reviews import moderating, writing
from portal.domain.reviews.models import Review
from tests.builders import make_patient, make_user
from tests.domain.patients.test_family import BORN
from tests.domain.reviews.visits import reviewed, visit_of
from tests.people import Person


def kinds_of(results: list[Any]) -> Counter[str]:
    return Counter(getattr(one, "code", type(one).__name__) for one in results)


def test_two_reviews_of_one_visit_at_once_are_one(
    committed: Any, race: Any, amina: Any, dr_benali: Any, el_djazair: Any
) -> None:
    visit, actor = visit_of(amina, dr_benali, el_djazair).id, amina.actor
    results = race([lambda stars=stars: writing.write(actor, visit, rating=stars) for stars in (1, 2, 3, 4, 5) * 2])
    assert kinds_of(results) == {"Review": 10}
    review = session().scalars(select(Review)).one()
    doctor = session().get_one(Doctor, dr_benali.doctor_id, populate_existing=True)
    assert (doctor.rating_sum, doctor.rating_count) == (review.rating, 1)


def test_writing_hiding_and_showing_at_once_keep_the_average_right(
    committed: Any, race: Any, amina: Any, admin: Any, dr_benali: Any, el_djazair: Any
) -> None:
    people = []
    for number in range(6):
        user = make_user("Guest", f"Number{number}")
        patient = make_patient(user, phone=f"+2135510{number:05d}")
        keep()
        people.append(Person(user.name, user.email, user.id, patient_id=patient.id))
    walls = ("08:00", "08:30", "09:00", "09:30", "10:00", "10:30")
    made = [visit_of(one, dr_benali, el_djazair, wall).id for one, wall in zip(people, walls, strict=True)]
    known = [reviewed(one, visit, 3).id for one, visit in zip(people[:3], made[:3], strict=True)]
    boss, actors = admin.actor, [one.actor for one in people]
    runners = [lambda n=n: writing.write(actors[n], made[n], rating=5) for n in range(6)]
    runners += [lambda key=key: moderating.hide(boss, key, reason="No") for key in known for _ in range(2)]
    runners += [lambda key=key: moderating.show(boss, key) for key in known]
    results = race(runners)
    assert set(kinds_of(results)) == {"Review"}
    session().rollback()
    assert moderating.wrong_tallies() == []


def test_the_same_child_entered_twice_at_once_is_one_child(committed: Any, race: Any, amina: Any) -> None:
    actor, about = amina.actor, {"given_name": "Ilyes", "family_name": "Boudiaf", "birth_date": BORN}
    results = race([lambda: family.add_dependant(actor, **about)] * 8)
    assert kinds_of(results) == {"Delegation": 1, "in_family": 7}
    assert session().scalar(select(func.count()).select_from(Patient).where(Patient.user_id.is_(None))) == 1


def test_an_invitation_accepted_twice_at_once_counts_once(
    committed: Any, race: Any, amina: Any, yacine: Any, mailbox: Any
) -> None:
    inviting.grant(amina.actor, email=yacine.email, scopes=["view"])
    keep()
    token, actor = mailbox.link(yacine.email, "/family/invitation/").rsplit("/", 1)[1], yacine.actor
    results = race([lambda: accepting.accept(actor, token)] * 6)
    assert kinds_of(results) == {"Invitation": 1, "gone": 5}
    assert session().scalar(select(func.count()).select_from(Delegation)) == 1


def test_a_doctor_kept_by_many_taps_is_kept_once(committed: Any, race: Any, amina: Any, dr_benali: Any) -> None:
    actor = amina.actor
    results = race([lambda: favourites.keep(actor, dr_benali.doctor_id)] * 8)
    assert kinds_of(results) == {"Doctor": 8}
    assert session().scalar(select(func.count()).select_from(Favourite)) == 1
