"""What a stranger's generator finds when it reads the description and tries everything in it, as each role.

`make fuzz` tries more, with other seeds.
"""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.stateful import run_state_machine_as_test
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks

from tests.api.conftest import Program

NOWHERE = "019aa000-0000-7000-8000-000000000000"
ROLES = ["nobody", "amina", "dr_benali", "nadia", "admin", "superadmin"]
ENDS_THE_TOKEN = {"/auth/logout"}  # everything else is tried with it
ENDLESS = {"/stream"}
PARTS = 3  # of the description, so that several processes share the work


def bad_data_is_refused(context: Any, response: Any, case: Any) -> bool | None:
    """As schemathesis checks it; it does not know that what is too large may not be read at all."""
    return None if response.status_code in {413, 414, 431} else checks.negative_data_rejection(context, response, case)


CHECKS = [
    schemathesis.checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    bad_data_is_refused,
]
HEALTH = list(HealthCheck)


@pytest.fixture
def schema(app: Flask, database: Any, dr_benali: Any, el_djazair: Any, amina: Any, wish: Any, api: Program) -> Any:
    """The description with real ids to choose from, so that the generator gets past "not found"."""
    described = api.get("/openapi.json").get_json()
    booked = api.as_(amina).post("/appointments", wish("14:00")).get_json()
    known = {
        "doctor_id": dr_benali.doctor_id, "practice_id": dr_benali.practice_id, "clinic_id": el_djazair.clinic_id,
        "patient_id": amina.patient_id, "visit_type_id": el_djazair.consultation_id, "user_id": amina.user_id,
        "appointment_id": booked["id"],
    }  # fmt: skip
    for methods in described["paths"].values():
        for told in methods.values():
            for part in told["parameters"]:
                if part["name"] in known:
                    part["schema"] |= {"enum": [str(known[part["name"]]), NOWHERE]}
                if part["name"] == "fields":
                    part["schema"] = {"const": "id"}  # what it leaves out is no fault; it has tests of its own
            told["parameters"] = [part for part in told["parameters"] if part["name"] != "fields"]
    _hint(described["components"]["schemas"]["BookAppointment"], wish, amina)
    described["servers"] = [{"url": "/api/v1"}]

    def isolated(environ: Any, start: Any) -> Any:
        if environ["PATH_INFO"] == "/described":
            start("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(described).encode()]
        with app.app_context():  # a context of its own, as in real life
            return list(app(environ, start))

    return schemathesis.openapi.from_wsgi("/described", isolated)


def _hint(body: Any, wish: Any, amina: Any) -> None:
    """What can be booked: nobody finds a free time by chance."""
    free = {name: {"enum": [value]} for name, value in wish().items()}
    free["starts_at"] = {"enum": [wish(wall)["starts_at"] for wall in ("09:00", "09:30", "10:00", "10:30")]}
    body["properties"] = free | {"patient_id": {"enum": [str(amina.patient_id)]}}
    body["required"] = [*body["required"], "patient_id"]
    body["examples"] = [wish()]


@pytest.fixture
def headers(api: Program, schema: Any, role: str, request: pytest.FixtureRequest) -> dict[str, str]:
    plain = {"Accept-Encoding": "identity"}
    if role == "nobody":
        return plain
    return plain | {"Authorization": f"Bearer {api.as_(request.getfixturevalue(role)).token}"}


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("part", range(PARTS))
def test_a_generator_finds_no_failure_and_nothing_undocumented(
    schema: Any, headers: dict[str, str], part: int, request: pytest.FixtureRequest
) -> None:
    wrong: list[Exception] = []
    for number, found in enumerate(schema.get_all_operations()):
        operation = found.ok()
        if operation.path in ENDS_THE_TOKEN | ENDLESS or number % PARTS != part:
            continue
        for mode in GenerationMode:
            for start in request.config.getoption("seeds"):
                try:
                    _try(operation, mode, headers, int(start), request.config.getoption("examples"))
                except Exception as failure:
                    wrong.append(failure)
    if wrong:
        raise ExceptionGroup(f"{len(wrong)} failures", wrong)


def _try(operation: Any, mode: Any, headers: dict[str, str], start: int, examples: int) -> None:
    """A few requests as the description allows them, or as it does not, the same ones each time."""

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=HEALTH,
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def run(case: Any) -> None:
        case.call_and_validate(headers=headers, checks=CHECKS)

    with contextlib.suppress(Unsatisfiable):  # nothing wrong can be made where nothing comes in
        run()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("role", "tags", "made"),
    [
        ("amina", ["Appointments"], "POST /appointments 201"),
        ("nadia", ["Appointments"], "POST /appointments 201"),
        ("admin", ["Webhooks"], "POST /webhooks"),
    ],
)
def test_what_is_made_can_be_looked_at_and_changed_by_its_links(
    schema: Any, headers: dict[str, str], tags: list[str], made: str, database: Any, request: pytest.FixtureRequest
) -> None:
    """Walks from what was made to what can be done with it; each walk begins where the first began."""
    seen: set[str] = set()
    schema.config.generation.modes = [GenerationMode.POSITIVE]  # whoever is refused at the door walks nowhere

    class Walk(schema.include(tag=tags).as_state_machine()):  # type: ignore[misc]
        def setup(self) -> None:
            self.start = database.connection().begin_nested()

        def teardown(self) -> None:
            self.start.rollback()

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": headers}

        def validate_response(self, response: Any, case: Any, **more: Any) -> None:
            seen.add(f"{case.operation.label} {response.status_code}")
            case.validate_response(response, checks=[one for one in CHECKS if one is not bad_data_is_refused])

    some = settings(
        max_examples=30 * request.config.getoption("examples"), stateful_step_count=6, deadline=None, database=None,
        phases=[Phase.generate], suppress_health_check=HEALTH, derandomize=True,
    )  # fmt: skip
    run_state_machine_as_test(Walk, settings=some)
    assert any(one.startswith(made) for one in seen), sorted(seen)
