"""A program, written with Authlib's client, is let in by a person in a real browser and acts for them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from playwright.sync_api import Page, expect

from portal.core.db import keep
from portal.domain.clinics import programs
from tests.builders import PASSWORD

pytestmark = pytest.mark.xdist_group("journeys")
MAY = ["profile:read", "appointments:read"]


@pytest.fixture
def way_back() -> Iterator[str]:
    """Where the program waits on the person's own computer, on the port it got."""

    class Waiting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"You can close this page.")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Waiting)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/back"
    server.shutdown()
    server.server_close()


def test_a_person_lets_a_program_act_and_takes_it_back(
    page: Page, live_server: str, way_back: str, amina: Any, superadmin: Any
) -> None:
    made, _none = programs.add(
        superadmin.actor, kind="app", name="Family planner", scopes=MAY, redirect_uris=["http://127.0.0.1/back"]
    )
    client_id = made.client_id
    keep()
    open_here = requests.get(f"{live_server}/.well-known/oauth-authorization-server", timeout=10).json()
    planner = OAuth2Session(client_id, scope=" ".join(MAY), redirect_uri=way_back, code_challenge_method="S256")
    verifier = generate_token(48)
    address, state = planner.create_authorization_url(live_server + "/oauth/authorize", code_verifier=verifier)
    blocked: list[str] = []
    page.on("console", lambda told: blocked.append(told.text) if "Content Security Policy" in told.text else None)

    page.goto(address)
    page.locator("#email").fill(amina.email)
    page.locator("#password").fill(PASSWORD)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Let Family planner act for you?")).to_be_visible()
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_text("You can close this page.")).to_be_visible()
    assert blocked == [] and open_here["issuer"] in page.url.replace("%3A", ":").replace("%2F", "/")

    planner.fetch_token(
        f"{live_server}/oauth/token", authorization_response=page.url, state=state, code_verifier=verifier
    )
    me = f"{live_server}/api/v1/auth/me"
    assert planner.get(me, timeout=10).json()["email"] == amina.email
    planner.refresh_token(f"{live_server}/oauth/token")
    assert planner.get(me, timeout=10).status_code == 200

    page.goto(f"{live_server}/account/security")
    planned = page.locator("#acting li", has_text="It may do 2 things")
    planned.get_by_text("It may do 2 things").click()
    expect(planned.get_by_text("See your appointments, waits and kept doctors")).to_be_visible()
    planned.get_by_role("button", name="Sign out").click()
    expect(page.locator("main").get_by_text("Ended: it acts for you no more.")).to_be_visible()
    assert planner.get(me, timeout=10).status_code == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        planner.refresh_token(f"{live_server}/oauth/token")
