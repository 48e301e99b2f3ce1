"""Reading what happened: who sees which events, and what leaves the house."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from io import StringIO
from typing import Any

import pytest

from portal.core import clock, seals
from portal.core.csv_out import csv_lines, safe_cell
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Invalid
from portal.core.tasks import Task
from portal.domain import audit
from portal.domain.audit import EventQuery, TaskQuery
from portal.domain.clinics import members

INVITED = {"given_name": "S", "family_name": "H", "role": "staff"}


@pytest.fixture
def happened(admin: Any, superadmin: Any, el_djazair: Any, wahran: Any) -> None:
    """Somebody was invited in each of two clinics."""
    members.invite(admin.actor, el_djazair.clinic_id, email="a@example.dz", **INVITED)
    members.invite(superadmin.actor, wahran.clinic_id, email="b@example.dz", **INVITED)
    keep()


def names(page: Any) -> list[str]:
    return [entry.event.name for entry in page]


def test_a_superadmin_sees_every_event_and_who_did_it(happened: None, superadmin: Any) -> None:
    found = audit.events(superadmin.actor, EventQuery(name="clinic_invitation."))
    assert [entry.actor_name for entry in found] == ["Houria Kaci", "Farid Ouali"]


def test_an_admin_sees_the_events_of_the_own_clinics(happened: None, admin: Any, el_djazair: Any) -> None:
    found = audit.events(admin.actor, EventQuery())
    assert {entry.event.clinic_id for entry in found} == {el_djazair.clinic_id}
    assert "clinic_invitation.sent" in audit.names_used(admin.actor)


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "amina"])
def test_nobody_else_reads_the_audit(request: Any, who: str) -> None:
    actor = request.getfixturevalue(who).actor
    for read in (lambda: audit.events(actor, EventQuery()), lambda: audit.names_used(actor)):
        with pytest.raises(Forbidden):
            read()


def test_events_are_found_by_name_person_subject_and_date(happened: None, superadmin: Any, admin: Any) -> None:
    actor, today = superadmin.actor, clock.today("UTC")
    first = audit.events(actor, EventQuery(name="clinic_invitation.sent")).items[0].event
    assert names(audit.events(actor, EventQuery(subject_id=first.subject_id))) == ["clinic_invitation.sent"]
    assert len(audit.events(actor, EventQuery(actor_id=admin.user_id))) == 1
    assert len(audit.events(actor, EventQuery(first=today - timedelta(days=1), last=today + timedelta(days=1)))) == 2
    assert names(audit.events(actor, EventQuery(last=today - timedelta(days=2)))) == []
    assert names(audit.events(actor, EventQuery(first=today + timedelta(days=2)))) == []


def test_pages_of_events_follow_one_another(happened: None, superadmin: Any) -> None:
    first = audit.events(superadmin.actor, EventQuery(), limit=1)
    rest = audit.events(superadmin.actor, EventQuery(), limit=1, after=first.next)
    assert len({entry.event.id for entry in [*first, *rest]}) == 2
    assert rest.next is None


@pytest.mark.parametrize("wrong", [{"actor_id": "someone"}, {"first": "soon"}, {"name": "'; drop"}])
def test_a_query_that_cannot_be_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        EventQuery.parse(wrong)


def test_an_export_is_csv_and_is_itself_recorded(happened: None, superadmin: Any) -> None:
    lines = audit.export(superadmin.actor, EventQuery(name="clinic_invitation."))
    rows = list(csv.DictReader(StringIO("".join(lines))))
    assert [row["name"] for row in rows] == ["clinic_invitation.sent"] * 2
    keep()
    assert audit.events(superadmin.actor, EventQuery(name="audit.exported")).items[0].event.facts == {"rows": 2}


def test_only_a_superadmin_exports_and_looks_after_the_chain_and_the_tasks(happened: None, admin: Any) -> None:
    for read in (
        lambda: audit.export(admin.actor, EventQuery()),
        lambda: audit.chain(admin.actor),
        lambda: audit.background(admin.actor, TaskQuery()),
        lambda: audit.task_counts(admin.actor),
        lambda: audit.retry(admin.actor, admin.user_id),
    ):
        with pytest.raises(Forbidden):
            read()


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"])
def test_a_cell_that_a_spreadsheet_would_run_is_quoted(cell: str) -> None:
    assert safe_cell(cell) == "'" + cell


def test_other_cells_stay_as_they_are() -> None:
    assert (
        "".join(csv_lines(["a", "b"], [["x, y", None], [date(2031, 1, 2), 5]])) == 'a,b\r\n"x, y",\r\n2031-01-02,5\r\n'
    )


def test_the_chain_says_how_far_it_is_closed(happened: None, superadmin: Any) -> None:
    assert audit.chain(superadmin.actor).number == 0
    seals.seal()
    chain = audit.chain(superadmin.actor)
    assert (chain.number, chain.open, chain.refused, len(chain.digest)) == (1, 0, 0, 64)


def test_a_failed_task_is_tried_again_and_no_other(superadmin: Any) -> None:
    failed = Task(name="notifications.delivery.deliver", state="failed", attempts=6, last_error="Boom")
    done = Task(name="upkeep.seal_events", state="done")
    session().add_all([failed, done])
    session().flush()
    assert [one.id for one in audit.background(superadmin.actor, TaskQuery(state="failed"))] == [failed.id]
    assert [one.id for one in audit.background(superadmin.actor, TaskQuery(name="seal"))] == [done.id]
    assert (audit.retry(superadmin.actor, failed.id).state, failed.attempts) == ("waiting", 0)
    with pytest.raises(Conflict):
        audit.retry(superadmin.actor, done.id)
    assert audit.task_counts(superadmin.actor)["failed"] == 0
