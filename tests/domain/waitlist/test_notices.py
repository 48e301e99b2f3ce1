"""Who is told of offers and of places that end, by which way, and what is not said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.notifications import kinds
from portal.domain.notifications.models import Notification
from portal.domain.patients.models import Delegation
from portal.domain.scheduling import booking
from portal.domain.waitlist import answering, joining, offering
from tests.builders import at, make_patient, register_at
from tests.domain.waitlist.conftest import NOON, open_offers

pytestmark = pytest.mark.usefixtures("noon")


@pytest.fixture
def free(book, yacine, drain):
    """Yacine calls off a visit, and everything that follows is done."""

    def do(wall="09:00"):
        visit = book(yacine, wall)
        drain()
        booking.cancel(yacine.actor, visit.id)
        drain()
        return visit

    return do


@pytest.fixture
def texts(app):
    box = app.extensions["portal.sms"]
    box.clear()
    yield box.read
    box.clear()


def told(person):
    statement = select(Notification.kind).where(Notification.user_id == person.user_id)
    return [
        kind for kind in session().scalars(statement.order_by(Notification.created_at)) if kind.startswith("waitlist.")
    ]


def said(person):
    session().expire_all()
    own = select(Notification).where(Notification.user_id == person.user_id).order_by(Notification.created_at)
    found = session().scalars(own).all()
    return [
        kinds.get(one.kind).sentence(one.facts, kinds.get(one.kind).read(one.subject_id))
        for one in found
        if one.kind.startswith("waitlist.")
    ]


def test_an_offer_comes_by_mail_with_a_link_and_until_when(mailbox, join, free, amina):
    join(amina, note="my knee hurts")
    free()
    letter = mailbox.text(amina.email)
    assert "/go/waitlist." in letter and "12:30" in letter
    assert "knee" not in letter
    assert told(amina) == ["waitlist.offered"]
    assert "Kept for you until 12:30" in said(amina)[0]


def test_the_letter_names_the_visit_that_would_move(mailbox, join, book, free, amina):
    visit = book(amina, "10:00", 7)
    join(amina, moves_id=visit.id)
    free()
    assert "Your visit keeps its present time until you take the new one." in mailbox.text(amina.email)


def test_carers_are_told_too_and_which_patient_it_is(mailbox, join, free, amina, yacine):
    child = make_patient(given_name="Rym", family_name="Boudiaf")
    session().add(
        Delegation(patient_id=child.id, user_id=amina.user_id, relation="child", scopes=["view", "book"],
                   starts_on=NOON.date())
    )  # fmt: skip
    keep()
    join(amina, patient_id=child.id)
    free()
    assert "Rym Boudiaf" in mailbox.text(amina.email)


def test_one_with_only_a_phone_gets_a_text_with_the_link_and_no_doctor(
    join, free, nadia, el_djazair, texts, mailbox, drain
):
    patient = make_patient(phone="+213661000000")
    register_at(patient, session().get_one(Clinic, el_djazair.clinic_id))
    keep()
    join(nadia, patient_id=patient.id)
    free()
    drain()
    (one,) = [text for text in texts() if text.to == "+213661000000"]
    assert "/go/waitlist." in one.text and "12:30" in one.text
    assert "Benali" not in one.text


def test_an_offer_that_was_answered_before_the_mail_left_is_not_mailed(mailbox, join, amina, nadia, dr_benali):
    entry = join(amina)
    offering.by_hand(nadia.actor, entry.id, practice_id=dr_benali.practice_id, starts_at=at("09:00", 3))
    answering.decline(amina.actor, open_offers()[0].id)
    keep()
    assert not [mail for mail in mailbox.to(amina.email) if "free for you" in str(mail["Subject"])]


def test_what_has_ended_is_told_in_the_app_only(mailbox, join, free, amina, nadia, drain, standing_at):
    entry = join(amina)
    free()
    before = len(mailbox.to(amina.email))
    with standing_at(NOON + timedelta(minutes=31)):
        drain()
    with standing_at(NOON + timedelta(minutes=32)):
        joining.leave(nadia.actor, entry.id)
        drain()
    assert told(amina) == ["waitlist.offered", "waitlist.expired", "waitlist.over"]
    assert len(mailbox.to(amina.email)) == before
    lines = said(amina)
    assert lines[0].startswith("A time was free:")
    assert "went to the next person" in lines[1]
    assert lines[2] == "Your place on the waitlist of Dr Samira Benali has ended."


def test_who_leaves_oneself_is_told_nothing(join, amina, drain):
    joining.leave(amina.actor, join(amina).id)
    drain()
    assert told(amina) == []


def test_what_is_not_there_any_more_is_said_without_names():
    for name in ("waitlist.offered", "waitlist.expired", "waitlist.over", "invitation.sent", "invitation.withdrawn"):
        kind = kinds.get(name)
        assert kind.sentence({"starts_at": NOON.isoformat()}, None)
