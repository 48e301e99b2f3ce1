"""Caps on what is open hold when everything comes at once, by page and by API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core.db import session
from portal.domain.scheduling import caps
from portal.domain.scheduling.models import Appointment, Hold
from tests.builders import at
from tests.domain.scheduling.test_caps import WALLS, children_of

pytestmark = pytest.mark.race
MANY = 10


@pytest.fixture
def four_ahead() -> Any:
    caps.allow_at_most(3, 25, 4)
    yield
    caps.allow_at_most(3, 25, 30)


@pytest.mark.parametrize("door", ["page", "api"])
def test_many_holds_of_one_place_at_once_are_three(
    committed: Any, race: Any, new_client: Any, dr_benali: Any, el_djazair: Any, door: str
) -> None:
    practice, kind = dr_benali.practice_id, el_djazair.consultation_id

    def hold(number: int) -> str:
        starts_at = at(WALLS[number], 2 + number % 3).isoformat()
        if door == "page":
            answer = new_client().post(f"/book/{practice}/{kind}", data={"starts_at": starts_at})
            return {303: "held", 409: "refused"}[answer.status_code]
        told = {"practice_id": str(practice), "visit_type_id": str(kind), "starts_at": starts_at}
        said = new_client().post("/api/v1/holds", json=told).get_json()
        return "held" if "token" in said else {"too_many_holds": "refused"}[said["code"]]

    results = race([lambda number=number: hold(number) for number in range(MANY)])
    assert Counter(results) == {"held": 3, "refused": MANY - 3}, results
    assert session().scalar(select(func.count()).select_from(Hold)) == 3


@pytest.mark.parametrize("door", ["page", "api"])
def test_many_bookings_of_one_account_for_many_patients_at_once_stop_at_the_cap(
    committed: Any, race: Any, new_client: Any, amina: Any, dr_benali: Any, el_djazair: Any, four_ahead: None, door: str
) -> None:
    children = children_of(amina, MANY)
    about = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
    clients = [new_client() for _ in range(MANY)]
    if door == "page":
        for one in clients:
            one.sign_in(amina)
    else:
        from tests.api.conftest import Program

        token = Program(clients[0]).as_(amina).token

    def book(number: int) -> str:
        told = about | {"starts_at": at(WALLS[number]).isoformat(), "patient_id": str(children[number])}
        if door == "page":
            answer = clients[number].post("/book/details", data=told)
            return {303: "booked", 409: "refused"}[answer.status_code]
        answer = clients[number].post("/api/v1/appointments", json=told, headers={"Authorization": f"Bearer {token}"})
        return "booked" if answer.status_code == 201 else {"too_many_ahead": "refused"}[answer.get_json()["code"]]

    results = race([lambda number=number: book(number) for number in range(MANY)])
    assert Counter(results) == {"booked": 4, "refused": MANY - 4}, results
    assert session().scalar(select(func.count()).select_from(Appointment)) == 4
