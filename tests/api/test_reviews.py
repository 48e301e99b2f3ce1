"""Reviews by programs: read by everybody, written by who came, answered by the doctor, hidden by an admin."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from portal.core import clock
from portal.core.clock import standing_at
from tests.api.conftest import Program, problem
from tests.domain.reviews.visits import reviewed, visit_of


@pytest.fixture
def visit(amina: Any, dr_benali: Any, el_djazair: Any) -> str:
    return str(visit_of(amina, dr_benali, el_djazair).id)


def test_who_came_says_how_it_was_and_everybody_reads_it(api: Program, amina: Any, dr_benali: Any, visit: str) -> None:
    program, path = api.as_(amina), f"/appointments/{visit}/review"
    problem(program.get(path), 404, "not_found")
    said = program.send("PUT", path, {"rating": 4, "text": "Took her time."}).get_json()
    assert (said["rating"], said["doctor_id"], said["hidden_reason"]) == (4, str(dr_benali.doctor_id), "")
    assert program.send("PUT", path, {"rating": 5}).get_json()["id"] == said["id"]
    shown = api.get(f"/doctors/{dr_benali.doctor_id}/reviews").get_json()
    (one,) = shown["items"]
    assert (one["rating"], one["by"], one["text"], shown["spread"]) == (5, "Amina B.", "", [1, 0, 0, 0, 0])
    assert "Boudiaf" not in str(shown) and "patient" not in one
    problem(program.send("PUT", path, {"rating": 6}), 422, "invalid")
    with standing_at(clock.now() + timedelta(days=20)):
        problem(api.as_(amina).send("PUT", path, {"rating": 1}), 409, "too_late")


def test_only_who_came_writes(api: Program, amina: Any, yacine: Any, dr_benali: Any, visit: str, wish: Any) -> None:
    ahead = api.as_(amina).post("/appointments", wish("11:00", ahead=6)).get_json()["id"]
    problem(api.as_(amina).send("PUT", f"/appointments/{ahead}/review", {"rating": 5}), 409, "not_visited")
    problem(api.as_(yacine).send("PUT", f"/appointments/{visit}/review", {"rating": 5}), 404, "not_found")
    problem(api.as_(yacine).get(f"/appointments/{visit}/review"), 404, "not_found")
    problem(api.as_(dr_benali).send("PUT", f"/appointments/{visit}/review", {"rating": 5}), 403, "forbidden")
    reader = api.as_(amina, scopes=["appointments:read"])
    problem(reader.send("PUT", f"/appointments/{visit}/review", {"rating": 5}), 403, "insufficient_scope")


def test_the_doctor_answers_and_an_admin_hides(
    api: Program, amina: Any, yacine: Any, dr_benali: Any, dr_haddad: Any, admin: Any, visit: str
) -> None:
    key = _written(api, amina, visit)
    doctor, here = api.as_(dr_benali), f"/doctors/{dr_benali.doctor_id}/reviews"
    assert [one["id"] for one in doctor.get("/reviews/about-me?unanswered_only=true").get_json()["items"]] == [key]
    assert doctor.send("PUT", f"/reviews/{key}/answer", {"answer": "Thank you."}).get_json()["answer"] == "Thank you."
    assert doctor.get("/reviews/about-me?unanswered_only=true").get_json()["items"] == []
    for person in (amina, dr_haddad):
        problem(api.as_(person).send("PUT", f"/reviews/{key}/answer", {"answer": "x"}), 403, "forbidden")
    problem(api.as_(yacine).post(f"/reviews/{key}/hide", {"reason": "x"}), 403, "forbidden")
    hidden = api.as_(admin).post(f"/reviews/{key}/hide", {"reason": "It names a person."}).get_json()
    assert hidden["hidden_at"] and hidden["hidden_reason"] == "It names a person."
    assert api.get(here).get_json()["items"] == []
    problem(doctor.send("PUT", f"/reviews/{key}/answer", {"answer": "More"}), 409, "hidden")
    problem(api.as_(yacine).post(f"/reviews/{key}/show"), 404, "not_found")
    mine = api.as_(amina).get(f"/appointments/{visit}/review").get_json()
    assert mine["hidden_reason"] == "It names a person."
    hidden_ones = api.as_(admin).get("/reviews/of-clinics?hidden=true&most=3").get_json()["items"]
    assert [one["id"] for one in hidden_ones] == [key]
    assert api.as_(admin).post(f"/reviews/{key}/show").get_json()["hidden_at"] is None
    assert len(api.get(here).get_json()["items"]) == 1


def _written(api: Program, person: Any, visit: str) -> str:
    answer = api.as_(person).send("PUT", f"/appointments/{visit}/review", {"rating": 2, "text": "A person was late."})
    return str(answer.get_json()["id"])


def test_lists_are_for_whom_they_concern(api: Program, amina: Any, nadia: Any, admin: Any, dr_benali: Any) -> None:
    for person in (amina, nadia, admin):
        problem(api.as_(person).get("/reviews/about-me"), 403, "forbidden")
    for person in (amina, nadia, dr_benali):
        problem(api.as_(person).get("/reviews/of-clinics"), 403, "forbidden")
    problem(api.get("/doctors/019aa000-0000-7000-8000-000000000000/reviews"), 404, "not_found")


def test_reviews_go_on_where_they_ended(
    api: Program, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any, visit: str
) -> None:
    reviewed(amina, UUID(visit))
    reviewed(yacine, visit_of(yacine, dr_benali, el_djazair, "10:00"))
    first = api.get(f"/doctors/{dr_benali.doctor_id}/reviews?limit=1").get_json()
    second = api.get(f"/doctors/{dr_benali.doctor_id}/reviews?limit=1&after={first['next']}").get_json()
    assert [one["by"] for one in (*first["items"], *second["items"])] == ["Yacine M.", "Amina B."]
    assert second["next"] is None
