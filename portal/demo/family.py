"""Families of the demo: Amina and her child, Yacine and his father, and the doctors Amina keeps."""

from __future__ import annotations

from datetime import date, timedelta
from uuid import UUID

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import Refused
from portal.demo.network import Member, Network, Post
from portal.domain.access import actors
from portal.domain.doctors import favourites
from portal.domain.patients import family, inviting, requests
from portal.domain.patients.models import SCOPES
from portal.domain.scheduling import availability, booking

JOINED = timedelta(days=40)
SISTER = "samira.boudiaf@demo.dz"
KEPT = ("dr.benali@demo.dz", "dr.haddad@demo.dz")


def live_together(network: Network) -> None:
    """Amina books for Ines and has asked her sister to help; a paper waits at the desk by which Yacine acts for
    his father."""
    amina, yacine = network.patients[0], network.patients[1]
    mother = amina.actor
    if mother is None or mother.user_id is None:
        return
    with clock.standing_at(clock.now() - JOINED):
        born = date(clock.now().year - 6, 4, 12)
        ines = family.add_dependant(
            mother, given_name="Ines", family_name=amina.data.family, birth_date=born, sex="female"
        )
        _father_of(yacine, network)
    for email in KEPT:
        post = next(one for one in network.posts if one.data.email == email)
        if post.doctor.doctor_id:
            favourites.keep(mother, post.doctor.doctor_id)
    if mother := actors.by_user(mother.user_id):  # now with Ines in her care
        _a_visit(mother, ines.patient_id, [one for one in network.posts if one.clinic.city == amina.city])
        inviting.grant(mother, patient_id=ines.patient_id, email=SISTER, relation="child", scopes=SCOPES)


def _father_of(yacine: Member, network: Network) -> None:
    desk = next(post.desk for post in network.posts if post.clinic.city == yacine.city)
    old = [
        one
        for one in network.patients
        if one.actor is None
        and one.city == yacine.city
        and one.data.sex == "male"
        and clock.now().year - one.data.born.year > 50
    ]
    for one in old[:1]:
        try:
            requests.ask_for_carer(
                desk, one.patient_id, email=yacine.data.email, relation="parent", scopes=["view", "book"], on_paper=True
            )
        except Refused:
            continue  # this desk does not know him


def _a_visit(mother: Actor, patient_id: UUID, near: list[Post]) -> None:
    """One of the next free times of a doctor for children."""
    posts = [one for one in near if "paediatrics" in one.data.specialties]
    free = availability.next_free([one.practice_id for one in posts], limit=3)
    slot = next((slots[-1] for slots in free.values() if slots), None)
    if slot:
        booking.book(
            mother,
            practice_id=slot.practice_id,
            visit_type_id=slot.visit_type_id,
            starts_at=slot.starts_at,
            patient_id=patient_id,
            reason="Vaccination due",
        )
