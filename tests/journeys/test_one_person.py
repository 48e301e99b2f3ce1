"""One person, whatever she is called and wherever she comes from, is found, signs in, and sees everything of hers."""

from __future__ import annotations

from datetime import date
from typing import Any

from portal.core.db import keep, session
from portal.domain.access import actors
from portal.domain.identity import accounts
from portal.domain.patients import accepting, deciding, desk, inviting, profiles
from portal.domain.patients.models import Patient
from portal.domain.scheduling import booking, glance
from tests.builders import PASSWORD, at

BORN = date(1988, 4, 12)
EMAIL = "amel@example.dz"


def test_registered_entered_moved_married_and_reached_anew_she_has_one_record(
    client: Any, mailbox: Any, nadia: Any, kamel: Any, dr_benali: Any, dr_haddad: Any, el_djazair: Any, wahran: Any
) -> None:
    here = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    there = {"practice_id": dr_haddad.practice_id, "visit_type_id": wahran.consultation_id}
    about = {"birth_date": BORN, "phone": "0550 11 22 33", "email": EMAIL}
    entered, _may = desk.enter(nadia.actor, el_djazair.clinic_id, given_name="Amèl", family_name="Haddâd", **about)
    booking.book(nadia.actor, patient_id=entered.id, starts_at=at("09:00", 5), **here)
    keep()

    amel = _registers(client, mailbox, given_name="آمال", family_name="حداد")
    booking.book(amel(), starts_at=at("10:00", 6), **here)
    keep()
    assert mailbox.all()  # what was told of the visits has left
    inviting.hand_over(nadia.actor, entered.id, email=EMAIL.upper())
    keep()
    token = mailbox.link(EMAIL, "/family/invitation/").rsplit("/", 1)[1]
    accepting.accept(amel(), token, birth_date=BORN)
    keep()

    about["phone"] = "+213 550 11 22 33"
    at_wahran, _may = desk.enter(kamel.actor, wahran.clinic_id, given_name="Amel", family_name="Haddad", **about)
    booking.book(kamel.actor, patient_id=at_wahran.id, starts_at=at("11:00", 7), **there)
    asked = desk.ask_to_join(kamel.actor, at_wahran.id)
    keep()
    if asked is None:  # Arabic and Latin letters are not one name: she takes that record over as well
        assert mailbox.all()
        inviting.hand_over(kamel.actor, at_wahran.id, email=EMAIL)
        keep()
        token = mailbox.link(EMAIL, "/family/invitation/").rsplit("/", 1)[1]
        accepting.accept(amel(), token, birth_date=BORN)
    else:
        deciding.accept(amel(), asked.id)
    keep()

    profiles.call_me(amel(), given_name="Amèl", family_name="Bensaïd-Haddad", locale="fr")
    record = session().get_one(Patient, amel().patient_id)
    record.phone = "+213661445566"
    keep()
    client.sign_out()
    _signs_in(client, EMAIL)

    visits = [one.starts_at for one in glance.mine(amel(), limit=9).items]
    assert visits == [at("09:00", 5), at("10:00", 6), at("11:00", 7)]
    page = client.get("/patient/appointments").text
    assert "Clinique El Djazair" in page and wahran.name in page
    for who in (nadia, kamel):
        for typed in ("bensaid", "AMEL bensaïd", "0661 44 55 66", "12/04/1988", "١٢/٠٤/١٩٨٨"):
            assert record.id in {one.id for one in desk.search(who.actor, typed)}, typed
        for earlier in (entered.id, at_wahran.id):
            if earlier == (entered.id if who is nadia else at_wahran.id):
                assert desk.get(who.actor, earlier).id == record.id


def _registers(client: Any, mailbox: Any, **names: str) -> Any:
    """She opens an account in the browser and confirms her address; returns who she is, read afresh."""
    form = {**names, "email": EMAIL, "password": PASSWORD, "terms": "y", "locale": "ar"}
    assert client.post("/account/register", data=form).status_code == 303
    path = mailbox.link(EMAIL, "/account/verify").removeprefix("http://localhost")
    assert client.post(path).status_code in {200, 303}
    user = accounts.by_email(EMAIL)
    assert user is not None and user.is_verified
    return lambda: actors.by_user(user.id, "web")


def _signs_in(client: Any, email: str) -> None:
    answer = client.post("/account/sign-in", data={"email": f" {email.upper()} ", "password": PASSWORD})
    assert answer.status_code == 303, answer.text
