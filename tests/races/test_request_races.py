"""Answers to a clinic's request at once: the patient's yes and no, colleagues with one paper, two requests to join."""

from __future__ import annotations

from collections import Counter
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import func, select

from portal.core.db import keep, session
from portal.domain.clinics.models import Clinic
from portal.domain.patients import deciding, desk
from portal.domain.patients.models import Patient
from portal.domain.patients.request_models import RecordJoin, RecordRequest
from tests.builders import actor_of, make_member, make_user, register_at
from tests.races.test_review_races import kinds_of

ABOUT = {"given_name": "Amina", "family_name": "Boudiaf", "birth_date": date(1990, 5, 17)}


def test_of_all_answers_at_once_one_counts(
    committed: Any, race: Any, amina: Any, nadia: Any, admin: Any, el_djazair: Any
) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    register_at(session().get_one(Patient, amina.patient_id), clinic)
    second = make_user("Rachid", "Amrani")
    make_member(second, clinic, "staff")
    keep()
    mine, hers, boss, colleague = amina.actor, nadia.actor, admin.actor, actor_of(second.id)
    said = [(deciding.accept, mine), (deciding.reject, mine), (deciding.confirm, boss), (deciding.confirm, colleague)]
    for turn in range(4):
        phone = f"066122330{turn}"
        _patient, asked = desk.change(hers, amina.patient_id, **ABOUT, phone=phone, on_paper=True)
        assert asked
        key = asked.id
        results = race([partial(verb, who, key) for verb, who in [*said, *said[:2], (deciding.withdraw, hers)]])
        session().rollback()
        counted = kinds_of(results)
        assert (counted["RecordRequest"], counted["request_over"]) == (1, 6)
        made = session().get_one(RecordRequest, key, populate_existing=True)
        patient = session().get_one(Patient, amina.patient_id, populate_existing=True)
        assert (patient.phone == f"+213{phone[1:]}") == (made.outcome == "accepted")


def test_a_record_is_joined_once_however_often_the_patient_presses(
    committed: Any, race: Any, amina: Any, kamel: Any, wahran: Any
) -> None:
    entered, _ = desk.enter(kamel.actor, wahran.clinic_id, **ABOUT, phone="0550000001", email=amina.email)
    keep()
    asked = desk.ask_to_join(kamel.actor, entered.id)
    assert asked
    key, mine = asked.id, amina.actor
    results = race([lambda: deciding.accept(mine, key) for _ in range(6)])
    session().rollback()
    assert Counter(kinds_of(results)) == {"RecordRequest": 1, "request_over": 5}
    assert session().scalar(select(func.count()).select_from(RecordJoin)) == 1
