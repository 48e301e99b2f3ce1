"""Eight tabs of one browser: one stream serves them all, and of the six connections it may open pages get the rest."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from playwright.sync_api import BrowserContext, Page, expect

from portal.domain.scheduling import booking
from tests.builders import PASSWORD, at

pytestmark = pytest.mark.xdist_group("journeys")
NO_LOCKS = "Object.defineProperty(navigator, 'locks', {value: undefined});"
LOOK_AWAY = """Object.defineProperty(document, 'hidden', {value: true, configurable: true});
               document.dispatchEvent(new Event('visibilitychange'));"""
LOOK_BACK = "delete document.hidden; document.dispatchEvent(new Event('visibilitychange'));"


@pytest.fixture
def context(browser: Any, live_server: str, amina: Any) -> Iterator[BrowserContext]:
    """A browser in which Amina has signed in."""
    opened = browser.new_context(base_url=live_server, locale="en-GB")
    page = opened.new_page()
    page.goto("/account/sign-in")
    page.locator("#email").fill(amina.email)
    page.locator("#password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").first.click()
    expect(page).to_have_url(re.compile("/patient/"))
    page.close()
    yield opened
    opened.close()


@pytest.fixture
def told(amina: Any, dr_benali: Any, el_djazair: Any, drain: Any) -> Any:
    """A function: something happens of which Amina is told in the app."""

    def book(wall: str) -> None:
        about = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
        booking.book(amina.actor, starts_at=at(wall, 3), **about)
        drain()

    return book


def listening(context: BrowserContext, number: int) -> tuple[list[Page], list[Page]]:
    """So many tabs, and the list of those that opened a stream, in that order."""
    opened: list[Page] = []
    tabs = [context.new_page() for _ in range(number)]
    for tab in tabs:
        tab.on("request", lambda asked, tab=tab: opened.append(tab) if asked.url.endswith("/live") else None)
    for tab in tabs:
        tab.goto("/notifications")
    return tabs, opened


def rings(tab: Page, number: int) -> None:
    """The bell says so many, without this page having been loaded again."""
    expect(tab.locator("#bell .count")).to_have_text(re.compile(f"^{number} "))


def until(tab: Page, true: Any) -> None:
    for _ in range(300):
        if true():
            return
        tab.wait_for_timeout(50)
    raise AssertionError("it did not happen in time")


def test_a_page_listens_on_when_its_process_is_exchanged(context: BrowserContext, told: Any, request: Any) -> None:
    errors: list[str] = []
    (tab,), opened = listening(context, 1)
    tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    told("09:00")
    rings(tab, 1)
    parent = psutil.Process(request.getfixturevalue("_live").processes["web"].pid)
    before = set(parent.children())
    parent.send_signal(signal.SIGHUP)
    until(tab, lambda: len(opened) > 1 and not before & set(parent.children()))
    told("10:00")
    rings(tab, 2)
    assert errors == []


def test_each_of_eight_tabs_is_told_over_one_stream(context: BrowserContext, told: Any) -> None:
    tabs, opened = listening(context, 8)
    told("09:00")
    for tab in tabs:
        rings(tab, 1)
    assert opened == [tabs[0]]
    tabs[7].goto("/patient/appointments")  # and pages still load
    rings(tabs[7], 1)

    tabs[0].evaluate(LOOK_AWAY)
    until(tabs[1], lambda: len(opened) == 2)  # another listens for all that are looked at
    told("09:30")
    for tab in tabs[1:]:
        rings(tab, 2)
    rings(tabs[0], 1)
    tabs[0].evaluate(LOOK_BACK)
    rings(tabs[0], 2)

    leader = opened[-1]
    left = [tab for tab in tabs if tab is not leader]
    leader.close()
    until(left[0], lambda: len(opened) == 3)
    told("10:00")
    for tab in left:
        rings(tab, 3)
    assert len(opened) == 3


def test_a_nudge_that_comes_while_an_answer_is_put_in_is_not_lost(context: BrowserContext, told: Any) -> None:
    """What htmx has put in hears nothing until it is settled; a nudge of that moment asks once more."""
    (tab,), opened = listening(context, 1)
    until(tab, lambda: opened == [tab])
    told("09:00")
    rings(tab, 1)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url) if "/badge" in request.url else None)
    tab.evaluate(
        """() => {
            const nudge = () => new BroadcastChannel(`portal-stream-${document.body.dataset.stream}`)
                .postMessage("notifications");
            window.htmx.config.defaultSettleDelay = 400;
            document.body.addEventListener("htmx:afterSwap", () => setTimeout(nudge, 100), { once: true });
            nudge();
        }"""
    )
    until(tab, lambda: len(asked) == 2)


def test_where_a_browser_has_no_locks_each_tab_listens_by_itself(context: BrowserContext, told: Any) -> None:
    context.add_init_script(NO_LOCKS)
    tabs, opened = listening(context, 2)
    until(tabs[0], lambda: opened == tabs)
    told("09:00")
    for tab in tabs:
        rings(tab, 1)
