"""The demo network: Algerian clinics, their doctors, patients with history and visits to come.

Built by calling the domain's own verbs, each at the moment at which it would have happened. The same people and weeks
come out every time; only ids differ. What the past would have mailed is not mailed: its tasks stand as done.
"""

from __future__ import annotations

import random
from datetime import timedelta

from flask import Flask
from sqlalchemy import exists, select, text, update

from portal.core import clock, db, events, tasks
from portal.core.events import Event
from portal.demo import changes, day, desk, family, programs, reviews, waitlist
from portal.demo.history import Story
from portal.demo.network import ZONE, build
from portal.demo.people import MEMBERS, PASSWORD, SUPERADMIN, patients
from portal.demo.reminders import remind
from portal.demo.rooms import equip
from portal.domain.identity.models import User
from portal.domain.notifications import notices
from portal.domain.notifications.models import Delivery, Notification

SEED = 1962
TOLD = timedelta(days=5)  # so far back people find notifications
READ = timedelta(days=2)  # older ones have been read

# Who can be signed in as: address, role, name. The sign-in page shows these in demo mode.
SIGN_INS = (
    ("amina@demo.dz", "patient", "Amina Boudiaf"),
    ("yacine@demo.dz", "patient", "Yacine Meziane"),
    ("dr.benali@demo.dz", "doctor", "Dr Samira Benali, Clinique El Djazaïr"),
    ("dr.haddad@demo.dz", "doctor", "Dr Omar Haddad, Clinique du Front de Mer"),
    *((one.email, one.role, f"{one.given} {one.family}") for one in MEMBERS if one.email in {"desk@demo.dz"}),
    ("admin@demo.dz", "admin", "Farid Ouali"),
    (SUPERADMIN[2], "superadmin", f"{SUPERADMIN[0]} {SUPERADMIN[1]}"),
)


def seed(app: Flask, force: bool = False) -> str:
    """Fill an empty database with the demo network; returns a sentence that says what was done.

    Nothing happens when the demo is there, or when somebody else is, unless `force`. All of it comes in one
    transaction, so a demo that was interrupted is not there at all.
    """
    with app.app_context(), db.transaction() as here:
        here.execute(text("SELECT pg_advisory_xact_lock(hashtext('portal.demo'))"))
        if here.scalar(select(exists().where(User.email == SUPERADMIN[2]))):
            return "The demo network is there already."
        if not force and here.scalar(select(exists().where(User.is_superadmin.is_(False)))):
            return "This database is in use, so the demo was not added. With --force it is."
        dice = random.Random(SEED)
        network = build(patients(dice, clock.today(ZONE)), dice)
        booked = Story(network, dice).tell()
        equip(network)
        programs.let_in(network)
        day.liven(network, dice)
        family.live_together(network)
        reviews.say_how_it_was(network, random.Random(SEED))
        waitlist.wait(network)
        desk.arrange(network)
        _tell_the_latest()
        remind()
        tasks.settle()
        changes.take_a_day_off(network)  # its letters leave with the first worker: the demo's mailbox shows them
        return f"The demo network is there: {len(network.patients)} patients, {booked} visits."


def accounts() -> list[str]:
    """The accounts worth trying, one line each, and their password."""
    lines = [f"{email:<22} {role:<11} {name}" for email, role, name in SIGN_INS]
    return ["Sign in as one of these; every password is " + PASSWORD, *lines]


def _tell_the_latest() -> None:
    """Put the notices of the last days into the app, as the worker would have; their mail counts as sent."""
    tasks.settle()  # before the events are written, or the tasks they cause would go with them as waiting
    events.write_pending()
    here, now = db.session(), clock.now()
    told = {
        "appointment.booked": notices.appointment_booked,
        "appointment.confirmed": notices.appointment_confirmed,
        "appointment.declined": notices.appointment_declined,
        "appointment.cancelled": notices.appointment_cancelled,
    }
    latest = select(Event).where(Event.name.in_(told), Event.created_at > now - TOLD).order_by(Event.seq)
    for event in here.scalars(latest).all():
        with clock.standing_at(event.created_at + timedelta(seconds=2)):
            told[event.name](str(event.id), str(event.subject_id))
    here.flush()
    here.execute(update(Delivery).values(state="sent", sent_at=Delivery.created_at).where(Delivery.state == "waiting"))
    read = Notification.created_at < now - READ
    here.execute(update(Notification).values(read_at=Notification.created_at + timedelta(hours=3)).where(read))
