"""Doctors kept: by patients only, once each, and only those who are public are shown."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core import clock
from portal.core.db import keep, session
from portal.core.errors import NotFound
from portal.core.policy import as_id
from portal.domain.doctors import favourites
from portal.domain.doctors.models import Doctor


def test_doctors_are_kept_the_last_first_and_let_go(database: Any, amina: Any, dr_benali: Any, dr_haddad: Any) -> None:
    for doctor in (dr_benali, dr_haddad, dr_benali):
        favourites.keep(amina.actor, doctor.doctor_id)
    keep()
    assert [card.id for card in favourites.mine(amina.actor)] == [dr_haddad.doctor_id, dr_benali.doctor_id]
    favourites.let_go(amina.actor, dr_haddad.doctor_id)
    favourites.let_go(amina.actor, dr_haddad.doctor_id)
    assert favourites.kept(amina.actor) == {dr_benali.doctor_id}


def test_everybody_keeps_their_own(database: Any, amina: Any, yacine: Any, dr_benali: Any) -> None:
    favourites.keep(amina.actor, dr_benali.doctor_id)
    assert favourites.kept(yacine.actor) == frozenset()
    favourites.let_go(yacine.actor, dr_benali.doctor_id)
    assert favourites.kept(amina.actor) == {dr_benali.doctor_id}


def test_who_is_no_patient_keeps_nobody(database: Any, nadia: Any, dr_haddad: Any, dr_benali: Any) -> None:
    for other in (nadia, dr_haddad):
        with pytest.raises(favourites.NoPatient):
            favourites.keep(other.actor, dr_benali.doctor_id)
        with pytest.raises(favourites.NoPatient):
            favourites.let_go(other.actor, dr_benali.doctor_id)
        assert favourites.mine(other.actor) == []


def test_a_doctor_who_is_not_there_or_not_public_is_not_kept(database: Any, amina: Any, dr_benali: Any) -> None:
    with pytest.raises(NotFound):
        favourites.keep(amina.actor, as_id("019aa000-0000-7000-8000-000000000000"))
    favourites.keep(amina.actor, dr_benali.doctor_id)
    session().get_one(Doctor, dr_benali.doctor_id).licence_verified_at = None
    keep()
    assert favourites.mine(amina.actor) == []
    with pytest.raises(NotFound):
        favourites.keep(amina.actor, dr_benali.doctor_id)
    session().get_one(Doctor, dr_benali.doctor_id).licence_verified_at = clock.now()
    keep()
    assert [card.id for card in favourites.mine(amina.actor)] == [dr_benali.doctor_id]


def test_there_is_an_end_to_what_can_be_kept(
    database: Any, amina: Any, dr_benali: Any, dr_haddad: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(favourites, "MOST", 1)
    favourites.keep(amina.actor, dr_benali.doctor_id)
    favourites.keep(amina.actor, dr_benali.doctor_id)
    with pytest.raises(favourites.TooManyKept):
        favourites.keep(amina.actor, dr_haddad.doctor_id)
