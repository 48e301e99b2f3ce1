"""Calendar addresses in the account: shown once, ended by a click."""

from __future__ import annotations

import re

import pytest

from portal.domain.scheduling import feeds


@pytest.mark.parametrize(("who", "whose"), [("amina", "patient"), ("dr_benali", "doctor")])
def test_an_address_is_shown_once_and_works(client, new_client, who, whose, request):
    client.sign_in(request.getfixturevalue(who))
    made = client.post("/account/calendars", data={"whose": whose})
    assert made.status_code == 201
    address = re.search(r'value="http://localhost(/calendar/[^"]+\.ics)"', made.text)[1]
    assert new_client().get(address).status_code == 200
    later = client.get("/account/calendars").text
    assert address not in later
    assert "never read yet" not in later


def test_what_cannot_be_made_is_said(client, nadia, amina):
    client.sign_in(nadia)
    refused = client.post("/account/calendars", data={"whose": "patient"})
    assert refused.status_code == 403
    assert "no visits of that kind" in refused.text
    client.sign_in(amina)
    for _ in range(5):
        client.post("/account/calendars", data={"whose": "patient"})
    assert client.post("/account/calendars", data={"whose": "patient"}).status_code == 409
    assert "Make an address" not in client.get("/account/calendars").text


def test_an_address_is_ended(client, amina):
    client.sign_in(amina)
    client.post("/account/calendars", data={"whose": "patient"})
    key = feeds.mine(amina.actor)[0].id
    done = client.post(f"/account/calendars/{key}/end", follow_redirects=True)
    assert "The address is dead" in done.text
    assert feeds.mine(amina.actor) == []


def test_somebody_elses_address_does_not_exist(client, amina, yacine):
    client.sign_in(amina)
    client.post("/account/calendars", data={"whose": "patient"})
    key = feeds.mine(amina.actor)[0].id
    client.sign_in(yacine)
    assert client.post(f"/account/calendars/{key}/end").status_code == 404
