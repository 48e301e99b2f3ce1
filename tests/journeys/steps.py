"""Steps that several journeys take."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.builders import at


def choose_time(page: Page, wall: str) -> None:
    """Press the button of this time on the first working day in three days or more, a week later if need be."""
    later = page.locator("a[rel=next][id]")
    expect(later).to_be_visible()  # the page that is asked is the one with the times, not the one before it
    button = page.locator(f"button[name=starts_at][value='{at(wall, 3).isoformat()}']")
    if not button.count():
        later.click()
    button.first.click()
