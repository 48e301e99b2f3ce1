"""Links in messages: looking changes nothing, who looks is asked, and what is old, altered or used is said so."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from flask import Response

from portal.core import clock, secrets
from portal.core.db import session
from portal.core.errors import Conflict
from portal.domain.access import acting
from portal.domain.patients.models import Delegation, Patient
from portal.web import links

SUBJECT = uuid4()


@pytest.fixture
def acted():
    """A purpose of this test: what its doors were called with."""
    seen = []

    def show(actor, claim):
        return Response(f"shown to {actor.name} by {actor.door}")

    def act(actor, claim):
        seen.append((actor, claim))
        if len(seen) > 1:
            raise Conflict("It was used already.")
        return Response("done")

    links.register("trial", show=show, act=act)
    yield seen
    links._ways.pop("trial")


@pytest.fixture
def link(amina, acted):
    return acting.link("trial", patient_id=amina.patient_id, subject_id=SUBJECT, version=3)


def test_nothing_is_shown_before_the_birth_date_and_everything_after(client, link, acted, amina):
    asked = client.get(link)
    assert asked.status_code == 200
    assert "birth" in asked.text
    assert "Amina" not in asked.text
    shown = client.post(f"{link}/who", data={"birth_date": "1990-05-17"}, follow_redirects=True)
    assert shown.text == "shown to Amina Boudiaf by link"
    assert acted == []


def test_looking_never_acts_however_often_a_scanner_looks(client, link, acted):
    _prove(client, link)
    for method in ("GET", "HEAD", "GET"):
        assert client.open(link, method=method).status_code == 200
    assert acted == []


def test_acting_needs_the_birth_date_too(client, link, acted):
    refused = client.post(link)
    assert refused.status_code == 403
    assert "birth" in refused.text
    assert acted == []
    _prove(client, link)
    assert client.post(link).text == "done"
    actor, claim = acted[0]
    assert (actor.patient_id, actor.door, actor.user_id) == (claim.patient_id, "link", None)
    assert (claim.subject_id, claim.version) == (SUBJECT, 3)


def test_a_used_link_says_so(client, link, acted):
    _prove(client, link)
    client.post(link)
    again = client.post(link)
    assert again.status_code == 409
    assert "It was used already." in again.text


def test_the_birth_date_is_remembered_for_half_an_hour_in_this_browser_only(
    client, new_client, link, standing_at, amina, acted
):
    _prove(client, link)
    with standing_at(clock.now() + timedelta(minutes=29)):
        assert "shown to" in client.get(link).text
    with standing_at(clock.now() + timedelta(minutes=31)):
        assert "shown to" not in client.get(link).text
    assert "shown to" not in new_client().get(link).text


def test_the_birth_date_of_one_patient_opens_nothing_of_another(client, link, yacine, acted):
    _prove(client, link)
    other = acting.link("trial", patient_id=yacine.patient_id, subject_id=SUBJECT)
    assert "shown to" not in client.get(other).text


def test_whoever_is_signed_in_as_the_patient_is_not_asked(client, link, amina, yacine, acted):
    client.sign_in(amina)
    assert "shown to" in client.get(link).text
    client.post(link)
    assert acted[0][0].user_id == amina.user_id
    client.sign_in(yacine)
    assert "shown to" not in client.get(link).text


@pytest.mark.parametrize(("scopes", "knows"), [(["view", "book"], True), (["view"], False)])
def test_a_carer_who_may_book_is_not_asked_either(client, link, amina, yacine, acted, scopes, knows):
    session().add(
        Delegation(
            patient_id=amina.patient_id,
            user_id=yacine.user_id,
            relation="spouse",
            scopes=scopes,
            starts_on=clock.today(clock.home()),
        )
    )
    client.sign_in(yacine)
    assert ("shown to" in client.get(link).text) is knows


def test_a_wrong_birth_date_is_refused_and_after_a_few_there_is_a_pause(client, link, acted, with_limits):
    for _ in range(5):
        refused = client.post(f"{link}/who", data={"birth_date": "1991-01-01"})
        assert refused.status_code == 422
        assert "not the birth date" in refused.text
    stopped = client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
    assert stopped.status_code == 429
    assert "Retry-After" in stopped.headers
    assert "shown to" not in client.get(link).text


def test_a_waiting_room_full_of_patients_who_know_their_birth_date_locks_nobody_out(
    new_client, amina, acted, with_limits, monkeypatch
):
    monkeypatch.setattr(acting, "PER_PLACE", "3 per hour")
    for number in range(8):
        one = acting.link("trial", patient_id=amina.patient_id, subject_id=SUBJECT, version=number)
        assert new_client().post(f"{one}/who", data={"birth_date": "1990-05-17"}).status_code == 303
    for status in (422, 422, 422, 429):
        assert new_client().post(f"{one}/who", data={"birth_date": "1991-01-01"}).status_code == status


def test_guesses_at_one_patient_are_counted_over_all_links(client, amina, acted, with_limits):
    answers = []
    for number in range(21):
        other = acting.link("trial", patient_id=amina.patient_id, subject_id=SUBJECT, version=number)
        answers.append(client.post(f"{other}/who", data={"birth_date": "1991-01-01"}).status_code)
    assert answers == [422] * 20 + [429]


@pytest.mark.parametrize("written", ["", "yesterday", "1990-02-30"])
def test_what_is_no_date_is_asked_again(client, link, acted, written):
    assert client.post(f"{link}/who", data={"birth_date": written}).status_code == 422


def test_a_patient_without_a_birth_date_cannot_be_asked(client, link, amina, acted):
    session().get_one(Patient, amina.patient_id).birth_date = None
    refused = client.post(f"{link}/who", data={"birth_date": "1990-05-17"})
    assert refused.status_code == 403
    assert "cannot check here who you are" in refused.text


def test_an_altered_link_is_over(client, link, acted):
    for changed in (_other(link, -5), _other(link, 30), "/go/trial.", "/go/x"):
        for answer in (client.get(changed), client.post(changed), client.post(f"{changed}/who", data={})):
            assert answer.status_code == 410
            assert "expired or was used" in answer.text


def test_a_link_made_for_another_purpose_is_over(client, link, acted):
    links.register("other", show=lambda a, c: Response("opened"), act=lambda a, c: Response("done"))
    try:
        assert client.get(link.replace("/go/trial.", "/go/other.")).status_code == 410
    finally:
        links._ways.pop("other")


def test_what_was_signed_for_something_else_is_no_link(client, acted, amina):
    assert client.get(f"/go/trial.{secrets.sign('trial', 'anything')}").status_code == 410
    assert client.get(f"/go/trial.{secrets.sign('go:trial', 'not ids')}").status_code == 410


def test_an_old_link_is_over(client, link, acted, monkeypatch):
    monkeypatch.setattr(acting, "LASTS", timedelta(seconds=-1))
    assert client.get(link).status_code == 410


def test_pages_of_links_are_kept_and_found_by_nobody(client, link, acted):
    headers = client.get(link).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Robots-Tag"] == "noindex"


def test_a_link_names_nobody_and_fits_into_a_message(link, amina):
    assert re.fullmatch(r"/go/trial\.[\w.-]+", link)
    assert str(amina.patient_id) not in link
    assert len(link) < 140


def _prove(client, link):
    assert client.post(f"{link}/who", data={"birth_date": "1990-05-17"}).status_code == 303


def _other(link, place):
    """The link with one character changed."""
    letters = list(link)
    letters[place] = "a" if letters[place] != "a" else "b"
    return "".join(letters)
