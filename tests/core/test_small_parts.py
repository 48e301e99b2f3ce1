"""Names as people type them, the clock, who acts, secrets, and the two verbs of authorization."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from portal.core import clock, secrets
from portal.core.actor import NOBODY, SYSTEM, Actor
from portal.core.db import new_id
from portal.core.errors import Conflict, Forbidden, Gone, NotFound, refuse
from portal.core.names import fold, slug
from portal.core.policy import allow, as_id, find
from portal.domain.patients.models import Patient


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("Aït Ahmed", "ait ahmed"),
        ("  BENALI,  Samira ", "benali samira"),
        ("O'Connor-Smith", "oconnor smith"),
        ("Straße", "strasse"),
        ("أحمد", "احمد"),
        ("فاطمة الزهراء", "فاطمه الزهراء"),
        ("مـــوسى", "موسي"),
        ("مُحَمَّد", "محمد"),
        ("", ""),
    ],
)
def test_names_are_compared_without_accents_case_or_punctuation(typed, folded):
    assert fold(typed) == folded


def test_folding_twice_changes_nothing():
    for name in ("Aït Ahmed", "فاطمة", "ẞ İstanbul", "ﬁn"):
        assert fold(fold(name)) == fold(name)


def test_parts_that_are_missing_are_left_out():
    assert fold("Amina", None, "", "Boudiaf") == "amina boudiaf"


@pytest.mark.parametrize(
    ("name", "address"), [("Dr Samira Aït-Benali", "dr-samira-ait-benali"), ("أحمد", ""), ("x" * 200, "x" * 80)]
)
def test_a_slug_is_what_can_be_written_in_latin_letters(name, address):
    assert slug(name) == address


def test_the_clock_stands_where_it_is_told_and_goes_on_afterwards():
    moment = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)
    with clock.standing_at(moment):
        assert clock.now() == moment
        assert clock.today("Pacific/Auckland").day == 31
        assert clock.today("Pacific/Honolulu").day == 30
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


def test_the_clock_stands_for_this_thread_only():
    seen = []
    with clock.standing_at(datetime(2000, 1, 1, tzinfo=UTC)):
        thread = threading.Thread(target=lambda: seen.append(clock.now().year))
        thread.start()
        thread.join()
    assert seen[0] > 2000


def test_a_moment_without_a_zone_is_refused():
    with pytest.raises(ValueError, match="zone"), clock.standing_at(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass


def test_ids_made_later_sort_after_earlier_ones():
    made = [new_id() for _ in range(500)]
    assert made == sorted(made)
    assert len(set(made)) == 500
    assert made[0].version == 7


def test_roles_come_from_profiles_and_memberships():
    clinic, other = uuid4(), uuid4()
    actor = Actor(user_id=uuid4(), patient_id=uuid4(), clinics={"staff": frozenset({clinic}), "admin": frozenset()})
    assert actor.roles == ("patient", "staff")
    assert actor.has_role("admin", "staff")
    assert not actor.has_role("admin")
    assert actor.works_at(clinic)
    assert not actor.works_at(other)
    assert not actor.administers(clinic)
    assert actor.clinics_as("staff", "doctor") == {clinic}


def test_nobody_is_not_signed_in_and_the_system_may_do_everything():
    assert not NOBODY.is_signed_in
    assert NOBODY.roles == ()
    assert SYSTEM.is_system
    assert SYSTEM.works_at(uuid4())


def test_a_scope_narrows_programs_and_not_people():
    assert Actor(user_id=uuid4()).may_use("appointments:write")
    program = Actor(user_id=uuid4(), scopes=frozenset({"appointments:read"}))
    assert program.may_use("appointments:read")
    assert not program.may_use("appointments:write")


def test_what_is_signed_for_one_purpose_is_worthless_for_another(app):
    signed = secrets.sign("cancel", {"id": 7})
    assert secrets.unsign("cancel", signed) == {"id": 7}
    for purpose, text in (("confirm", signed), ("cancel", signed[:-2] + "xx"), ("cancel", "nothing")):
        with pytest.raises(Gone):
            secrets.unsign(purpose, text)


def test_a_signed_link_grows_too_old(app):
    signed = secrets.sign("cancel", 1)
    with pytest.raises(Gone):
        secrets.unsign("cancel", signed, max_age=-1)


def test_a_token_is_stored_as_its_fingerprint_only():
    token = secrets.make_token()
    assert len(token) >= 43
    assert token not in secrets.fingerprint(token)
    assert secrets.fingerprint("lone \ud800") == secrets.fingerprint("lone \ud800")


def test_allow_goes_on_or_refuses():
    allow(True)
    with pytest.raises(Forbidden):
        allow(False)
    with pytest.raises(Conflict) as refused:
        allow(False, Conflict, visit_id=7)
    assert refused.value.facts == {"visit_id": 7}


def test_a_refusal_is_an_expression():
    with pytest.raises(NotFound):
        _ = None or refuse(NotFound)


def test_what_may_not_be_seen_is_not_found_just_like_what_does_not_exist(database, amina, yacine):
    assert find(amina.actor, Patient, amina.patient_id).id == amina.patient_id
    for key in (yacine.patient_id, uuid4(), "no id", None):
        with pytest.raises(NotFound):
            find(amina.actor, Patient, key)


def test_an_id_comes_as_text_too():
    key = uuid4()
    assert as_id(str(key)) == as_id(key) == key
