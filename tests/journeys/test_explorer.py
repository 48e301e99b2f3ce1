"""A programmer reads the API's description in the browser and tries an operation there."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("journeys")]


def test_an_operation_is_tried_where_it_is_read(page: Any, dr_benali: Any) -> None:
    faults: list[str] = []
    page.on("console", lambda told: faults.append(told.text) if told.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto("/api/v1/docs")
    page.get_by_role("link", name="the explorer").click()
    page.get_by_role("heading", name="Portal API").wait_for()
    page.locator("#operations-tag-Finding_a_time").click()
    operation = page.locator("#operations-Finding_a_time-list_specialties")
    operation.locator(".opblock-summary-control").click()
    operation.get_by_role("button", name="Execute").click()
    answer = operation.locator(".live-responses-table .response-col_status")
    answer.get_by_text("200").wait_for()
    assert "cardiology" in operation.locator(".live-responses-table").inner_text()
    assert faults == []
