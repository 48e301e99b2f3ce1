"""A clinic's reminders as its admin sets them."""

from __future__ import annotations

import pytest

from portal.core.db import keep
from portal.domain.reminders import settings

HTMX = {"HX-Request": "true"}
NEW = {"amount": "3", "unit": "days", "by": "sms_email", "asks": "y"}


@pytest.fixture
def url(el_djazair):
    settings.begin_with_defaults(el_djazair.clinic_id)
    keep()
    return f"/admin/clinics/{el_djazair.slug}/reminders"


def _steps(admin, clinic):
    return [(one.minutes_before, one.channels, one.asks) for one in settings.of_clinic(admin.actor, clinic.clinic_id)]


def test_a_clinic_begins_with_three_and_the_page_says_when_they_come(client, url, admin, el_djazair):
    client.sign_in(admin)
    page = client.get(url).text
    for said in (
        "7 days before",
        "24 hours before",
        "2 hours before",
        "asks “Will you come?”",
        "quiet hours from 21:00",
    ):
        assert said in page
    assert _steps(admin, el_djazair) == [
        (10080, ["email"], False), (1440, ["email", "sms"], True), (120, ["sms", "email"], False),
    ]  # fmt: skip


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_one_is_added_changed_and_removed(client, url, admin, el_djazair, headers):
    client.sign_in(admin)
    assert client.post(url, data=NEW, headers=headers).status_code == (200 if headers else 303)
    assert (4320, ["sms", "email"], True) in _steps(admin, el_djazair)
    key = next(one.id for one in settings.of_clinic(admin.actor, el_djazair.clinic_id) if one.minutes_before == 4320)
    changed = {"amount": "45", "unit": "minutes", "by": "email"}
    client.post(f"/admin/reminders/{key}", data=changed, headers=headers)
    assert (45, ["email"], False) in _steps(admin, el_djazair)
    client.post(f"/admin/reminders/{key}/remove", headers=headers)
    assert len(_steps(admin, el_djazair)) == 3


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({**NEW, "amount": "24", "unit": "hours"}, "at this time already"),
        ({**NEW, "amount": "10", "unit": "minutes"}, "between 15 minutes and 30 days"),
        ({**NEW, "amount": "31"}, "between 15 minutes and 30 days"),
        ({**NEW, "amount": ""}, "How long before"),
        ({**NEW, "by": "pigeon"}, "Sent by"),
        ({**NEW, "unit": "years"}, "Unit"),
    ],
)
def test_what_makes_no_sense_is_said_beside_the_form(client, url, admin, el_djazair, sent, said):
    client.sign_in(admin)
    before = _steps(admin, el_djazair)
    refused = client.post(url, data=sent)
    assert refused.status_code in {409, 422}
    assert said in refused.text
    assert _steps(admin, el_djazair) == before


def test_a_change_to_a_time_that_is_there_is_refused_beside_its_own_form(client, url, admin, el_djazair):
    client.sign_in(admin)
    week = settings.of_clinic(admin.actor, el_djazair.clinic_id)[0]
    refused = client.post(f"/admin/reminders/{week.id}", data={**NEW, "amount": "2", "unit": "hours"})
    assert refused.status_code == 409
    assert "at this time already" in refused.text
    assert '<details class="fold" open>' in refused.text


def test_six_are_enough(client, url, admin, el_djazair):
    client.sign_in(admin)
    for days in ("2", "3", "4"):
        client.post(url, data={**NEW, "amount": days})
    assert "Add a reminder" not in client.get(url).text
    assert client.post(url, data={**NEW, "amount": "5"}).status_code == 409


def test_a_clinic_without_reminders_is_told_what_it_misses(client, url, admin, el_djazair):
    client.sign_in(admin)
    for step in settings.of_clinic(admin.actor, el_djazair.clinic_id):
        client.post(f"/admin/reminders/{step.id}/remove")
    assert "No reminders" in client.get(url).text


def test_another_clinics_reminders_do_not_exist(client, url, wahran, admin, superadmin):
    settings.begin_with_defaults(wahran.clinic_id)
    keep()
    key = settings.of_clinic(superadmin.actor, wahran.clinic_id)[0].id
    client.sign_in(admin)
    assert client.get(f"/admin/clinics/{wahran.slug}/reminders").status_code == 404
    assert client.post(f"/admin/clinics/{wahran.slug}/reminders", data=NEW).status_code == 404
    assert client.post(f"/admin/reminders/{key}", data=NEW).status_code == 404
    assert client.post(f"/admin/reminders/{key}/remove").status_code == 404


def test_a_new_clinic_is_given_its_three_and_keeps_what_it_set(superadmin, drain, el_djazair):
    settings.set_up("ignored", str(el_djazair.clinic_id))
    step = settings.of_clinic(superadmin.actor, el_djazair.clinic_id)[0]
    settings.remove(superadmin.actor, step.id)
    settings.set_up("ignored", str(el_djazair.clinic_id))
    assert len(settings.of_clinic(superadmin.actor, el_djazair.clinic_id)) == 2
