"""The address a calendar program reads."""

from __future__ import annotations

import pytest

from portal.core.db import keep
from portal.domain.scheduling import feeds


@pytest.fixture
def address(amina):
    token = feeds.make(amina.actor, "patient")
    keep()
    return f"/calendar/{token}.ics"


def test_a_program_reads_it_without_signing_in_and_again_only_when_it_changed(client, address):
    first = client.get(address)
    assert first.status_code == 200
    assert first.content_type == "text/calendar; charset=utf-8"
    assert first.text.startswith("BEGIN:VCALENDAR")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = client.get(address, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.text) == (304, "")


@pytest.mark.parametrize("path", ["/calendar/guess.ics", "/calendar/.ics", "/calendar/a.b.ics"])
def test_a_guess_is_not_there(client, path):
    assert client.get(path).status_code == 404


def test_an_ended_address_is_not_there(client, address, amina):
    feeds.end(amina.actor, feeds.mine(amina.actor)[0].id)
    assert client.get(address).status_code == 404
