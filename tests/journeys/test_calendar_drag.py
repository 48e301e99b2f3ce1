"""The desk moves visits on the calendar with the mouse: what is free is taken, what is not goes back and says why."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from portal.core.db import keep
from portal.domain.scheduling import booking
from tests.builders import PASSWORD, at, working_day

pytestmark = pytest.mark.xdist_group("journeys")
QUARTER = 24  # pixels of a quarter of an hour
SETTLED = 700  # milliseconds: the calendar draws its blocks anew after each answer and each nudge


@pytest.fixture
def desk(browser: Any, live_server: str, nadia: Any) -> Iterator[Page]:
    """Nadia at her screen; whatever the browser would not run or load for policy's sake fails the test."""
    keep()
    context = browser.new_context(base_url=live_server, viewport={"width": 1440, "height": 1000}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console", lambda message: errors.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.goto("/account/sign-in")
    page.fill("input[name=email]", nadia.email)
    page.fill("input[name=password]", PASSWORD)
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("link", name="Calendar").first).to_be_visible()
    yield page
    context.close()
    assert errors == []


def test_visits_are_dragged_refused_undone_and_empty_times_answer(
    desk: Page, amina: Any, yacine: Any, dr_benali: Any, el_djazair: Any
) -> None:
    about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(amina.actor, **about, starts_at=at("09:00"))
    booking.book(yacine.actor, **about, starts_at=at("10:30"))
    keep()
    desk.goto(f"/desk/calendar?day={working_day()}")
    _drag(desk, _visit(desk, "Amina"), 4)
    expect(desk.locator("#calendar-said")).to_contain_text(re.compile("Moved to .* at 10:00"))
    expect(_visit(desk, "Amina")).to_contain_text("10:00")

    _drag(desk, _visit(desk, "Amina"), 2)
    dialog = desk.get_by_role("dialog")
    expect(dialog).to_contain_text("This time has just been taken")
    dialog.get_by_role("button", name=re.compile("^09:30")).click()
    expect(_visit(desk, "Amina")).to_contain_text("09:30")

    desk.get_by_role("button", name="Undo").click()
    expect(_visit(desk, "Amina")).to_contain_text("10:00")

    _press_empty_time(desk, _visit(desk, "Yacine"), -4)
    expect(desk.get_by_role("dialog")).to_contain_text("This time is free")
    desk.get_by_role("link", name="Book this time").click()
    expect(desk).to_have_url(re.compile("/desk/book"))


def _visit(page: Page, name: str) -> Locator:
    return page.locator(".ec-event.cal-visit:not(.ec-ghost)", has_text=name)


def _drag(page: Page, visit: Locator, quarters: int) -> None:
    page.wait_for_timeout(SETTLED)
    box = visit.bounding_box()
    assert box
    x, y = box["x"] + box["width"] - 12, box["y"] + box["height"] - 8
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + 8, steps=3)
    page.mouse.move(x, y + quarters * QUARTER, steps=8)
    page.mouse.up()


def _press_empty_time(page: Page, visit: Locator, quarters: int) -> None:
    page.wait_for_timeout(SETTLED)
    box = visit.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + 6 + quarters * QUARTER)
