"""What the demo's patients say about their doctors."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from portal.core import clock
from portal.core.actor import ADMIN, Actor
from portal.core.db import session
from portal.demo.network import Network
from portal.domain.reviews import moderating, writing
from portal.domain.reviews.models import Review
from portal.domain.scheduling.models import COMPLETED, Appointment

MOST, SHARE = 140, 0.5
WEIGHTS = {5: 50, 4: 30, 3: 12, 2: 5, 1: 3}
WORDS: dict[int, tuple[str, ...]] = {
    5: (
        "Takes the time to explain, and asks whether one has understood.",
        "À l'écoute, claire et ponctuelle. Je recommande.",
        "طبيبة ممتازة، تشرح كل شيء بهدوء.",
        "Wonderful with children.",
        "",
    ),
    4: (
        "Very good, the waiting room was a little full.",
        "Bon médecin, accueil agréable.",
        "جيد جدا وشكرا للاستقبال.",
        "",
    ),
    3: ("Competent, but everything went rather fast.", "Correct, mais une demi-heure d'attente.", ""),
    2: ("I waited nearly an hour and nobody told me why.", "Difficile de poser ses questions."),
    1: ("The visit was very short for that price.",),
}
ANSWERS = (
    "Thank you for your kind words.",
    "Merci pour votre retour. Nous avons ajouté une plage de consultation pour réduire l'attente.",
    "شكرا جزيلا على ثقتكم.",
)
RUDE = "The man at the front desk, Mr K., is an idiot."


def say_how_it_was(network: Network, dice: random.Random) -> int:
    """Half of those who came and have an account write a review, the doctor answers some; returns how many wrote."""
    writers = {one.patient_id: one.actor for one in network.patients if one.actor}
    doctors = {post.doctor.doctor_id: post.doctor for post in network.posts}
    done = select(Appointment).where(Appointment.status == COMPLETED, Appointment.patient_id.in_(writers))
    written = 0
    for visit in session().scalars(done.order_by(Appointment.starts_at.desc(), Appointment.id)).all():
        if written >= MOST or dice.random() > SHARE or visit.ends_at + timedelta(hours=3) > clock.now():
            continue
        rating = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0] if written else 1
        review = _written(
            writers[visit.patient_id], visit, rating, dice.choice(WORDS[rating]) if written else RUDE, dice
        )
        if not written:
            _hide(review, network)
        doctor = doctors.get(visit.doctor_id)
        if written and doctor and dice.random() < 0.35:
            with clock.standing_at(min(review.created_at + timedelta(hours=dice.randint(2, 60)), clock.now())):
                writing.answer(doctor, review.id, answer=dice.choice(ANSWERS))
        written += 1
    return written


def _written(who: Actor, visit: Appointment, rating: int, text: str, dice: random.Random) -> Review:
    later = visit.ends_at + timedelta(hours=dice.randint(3, 60))
    with clock.standing_at(min(later, clock.now() - timedelta(minutes=30))):
        return writing.write(who, visit.id, rating=rating, text=text)


def _hide(review: Review, network: Network) -> None:
    """An admin has hidden one, so that the list of the back office shows what that looks like."""
    desk = next(post.desk for post in network.posts if post.clinic.id == review.clinic_id)
    admin = replace(desk, clinics={ADMIN: frozenset((review.clinic_id,))})
    moderating.hide(admin, review.id, reason="It insults somebody who works here.")
