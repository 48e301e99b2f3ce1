"""Notifications for programs: one's own, read and marked."""

from __future__ import annotations

from typing import Any

from portal.core.db import keep, session
from portal.domain.notifications.models import Notification
from tests.api.conftest import Program, problem


def told(person: Any, key: str, kind: str = "appointment.confirmed") -> Notification:
    row = Notification(user_id=person.user_id, kind=kind, key=key, subject_type="appointment", facts={})
    session().add(row)
    session().flush()
    keep()
    return row


def test_notifications_are_read_counted_and_marked(api: Program, amina: Any) -> None:
    program, first, second = api.as_(amina), told(amina, "one"), told(amina, "two")
    seen = program.get("/notifications").get_json()
    assert ([one["id"] for one in seen["items"]], seen["unread"]) == ([str(second.id), str(first.id)], 2)
    assert seen["items"][0]["text"] and seen["items"][0]["is_read"] is False
    assert program.post(f"/notifications/{first.id}/read").status_code == 204
    unread = program.get("/notifications?unread=true").get_json()
    assert ([one["id"] for one in unread["items"]], unread["unread"]) == ([str(second.id)], 1)
    assert program.post("/notifications/read").status_code == 204
    assert program.get("/notifications?unread=true").get_json()["items"] == []
    assert program.get("/notifications?kind=appointment.cancelled").get_json()["items"] == []


def test_they_come_page_by_page(api: Program, amina: Any) -> None:
    program, rows = api.as_(amina), [told(amina, str(number)) for number in range(3)]
    first = program.get("/notifications?limit=2").get_json()
    rest = program.get(f"/notifications?limit=2&after={first['next']}").get_json()
    assert {one["id"] for one in first["items"] + rest["items"]} == {str(row.id) for row in rows}


def test_nobody_reads_or_marks_anothers(api: Program, amina: Any, yacine: Any, superadmin: Any) -> None:
    row = told(amina, "hers")
    for stranger in (yacine, superadmin):
        program = api.as_(stranger)
        assert program.get("/notifications").get_json()["items"] == []
        problem(program.post(f"/notifications/{row.id}/read"), 404, "not_found")
        program.post("/notifications/read")
    assert api.as_(amina).get("/notifications").get_json()["unread"] == 1
    problem(api.as_(amina, scopes=["profile:read"]).get("/notifications"), 403, "insufficient_scope")


def test_they_are_filtered_by_being_read_and_by_type(api: Program, amina: Any) -> None:
    program, read, unread = api.as_(amina), told(amina, "one"), told(amina, "two", "appointment.cancelled")
    program.post(f"/notifications/{read.id}/read")

    def found(query: str) -> list[str]:
        return [one["id"] for one in program.get(f"/notifications?{query}").get_json()["items"]]

    assert (found("is_read=true"), found("is_read=false")) == ([str(read.id)], [str(unread.id)])
    assert found("type=appointment.cancelled") == found("kind=appointment.cancelled") == [str(unread.id)]
    assert found("is_read=true&type=appointment.cancelled") == []
    for query in ("is_read=true&unread=true", "type=a.b&kind=c.d"):
        problem(program.get(f"/notifications?{query}"), 422, "invalid")


def test_a_removed_one_is_gone_is_no_others_to_remove_and_is_not_told_again(
    api: Program, amina: Any, yacine: Any
) -> None:
    row = told(amina, "one")
    problem(api.as_(yacine).send("DELETE", f"/notifications/{row.id}"), 404, "not_found")
    program = api.as_(amina)
    assert program.send("DELETE", f"/notifications/{row.id}").status_code == 204
    seen = program.get("/notifications").get_json()
    assert (seen["items"], seen["unread"]) == ([], 0)
    problem(program.send("DELETE", f"/notifications/{row.id}"), 404, "not_found")
    assert session().get_one(Notification, row.id).key == "one", "the key stays taken"
