"""A client of the portal's API in one file: take it, change it. Needs Python 3.11 and `requests`, nothing else.

    portal = Portal("http://127.0.0.1:8000")
    portal.sign_in("yacine@demo.dz", "Algeria123!")
    for visit in portal.visits(): ...

Access tokens are renewed by themselves. Whatever is sent is sent again when the answer got lost, with the same
Idempotency-Key, so it is done once. A refusal is raised as PortalError: look at its `code`, show its `detail`.
"""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NotRequired, TypedDict, cast
from uuid import uuid4

import requests

TRIES = 6
RENEW_BEFORE = 60.0  # seconds before an access token ends
SILENT_FOR = 45.0  # seconds; a stream says something every 15


class Money(TypedDict):
    """Minor units of a currency: 250000 DZD is 2 500 dinars."""

    amount_minor: int
    currency: str


class FreeTime(TypedDict):
    practice_id: str
    visit_type_id: str
    starts_at: str  # RFC 3339 with the clinic's offset
    ends_at: str
    time_zone: str


class Practice(TypedDict):
    """A doctor at a clinic: this is what is booked."""

    id: str
    clinic_name: str
    city: str
    fee: Money | None


class Doctor(TypedDict):
    id: str
    name: str
    practices: list[Practice]
    next_free: list[FreeTime]


class VisitType(TypedDict):
    id: str
    name: str
    duration: int  # minutes
    price: Money | None
    policy: list[str]


class Hold(TypedDict):
    token: str
    expires_at: str


class Named(TypedDict):
    id: str
    name: str


class Visit(TypedDict):
    id: str
    reference: str
    status: str
    version: int
    starts_at: str
    ends_at: str
    time_zone: str
    doctor: Named
    patient: Named


class Event(TypedDict):
    """Something happened to `subject_id`; what it is now is to be read. Pass over types you do not know."""

    id: str
    type: str
    subject_type: str
    subject_id: str
    version: int | None
    status: str | None
    occurred_at: str
    notice: NotRequired[str | None]
    about_id: NotRequired[str | None]


class PortalError(Exception):
    """The portal said no (RFC 9457). `code` is for programs and stays the same, `detail` is for people."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        self.problem = dict(problem)
        self.status = int(problem.get("status", 0))
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail", ""))
        self.alternatives: list[str] = list(problem.get("alternatives", ()))  # free times instead, soonest first
        self.errors: list[dict[str, str]] = list(problem.get("errors", ()))  # each wrong field with its sentence
        self.correlation_id = str(problem.get("correlation_id", ""))  # quote it when you ask for help
        super().__init__(f"{self.status} {self.code}: {self.detail}")


class Portal:
    """One account at one portal; may be used by many threads."""

    def __init__(self, url: str, *, language: str = "en", timeout: float = 30.0) -> None:
        self._root = f"{url.rstrip('/')}/api/v1"
        self._timeout = timeout
        self._http = requests.Session()
        self._http.headers["Accept-Language"] = language
        self._access = self._refresh = ""
        self._ends = 0.0
        self._lock = threading.Lock()

    # --- signing in ---

    def sign_in(self, email: str, password: str, *, label: str = "", code: Callable[[], str] | None = None) -> None:
        """Sign in; `code` is asked for the authenticator's six digits where the account has a second factor."""
        try:
            found = self._send("POST", "/auth/login", {"email": email, "password": password, "label": label or None})
        except PortalError as no:
            if no.code != "second_factor_required" or code is None:
                raise
            answer = {"challenge": no.problem["challenge"], "code": code()}
            found = self._send("POST", "/auth/second-factor", answer)
        self._keep(found)

    def sign_out(self) -> None:
        """End this sign-in: nobody can go on with its tokens."""
        self._ask("POST", "/auth/logout")
        self._access = self._refresh = ""

    # --- finding ---

    def doctors(self, **wanted: str | int | float) -> Iterator[Doctor]:
        """Doctors that fit, page after page: specialty="cardiology", city="Algiers", name="benali" and others."""
        return cast(Iterator[Doctor], self._pages("/doctors", wanted))

    def visit_types(self, practice_id: str) -> list[VisitType]:
        """What can be booked at a practice."""
        return cast(list[VisitType], self._ask("GET", f"/practices/{practice_id}/visit-types")["items"])

    def slots(
        self, doctor_id: str, practice_id: str, visit_type_id: str, *, first: str = "", last: str = ""
    ) -> list[FreeTime]:
        """Free times, soonest first; dates as first="2026-03-31", last="2026-04-06", else from today on."""
        query = {"practice_id": practice_id, "visit_type_id": visit_type_id}
        query |= {name: day for name, day in (("from", first), ("to", last)) if day}
        return cast(list[FreeTime], self._ask("GET", f"/doctors/{doctor_id}/slots", query=query)["items"])

    # --- visits ---

    def hold(self, slot: FreeTime) -> Hold:
        """Keep a time for some minutes while a person makes up their mind."""
        return cast(Hold, self._ask("POST", "/holds", _chosen(slot)))

    def book(self, slot: FreeTime, *, reason: str = "", hold: Hold | None = None, patient_id: str = "") -> Visit:
        """Book a time, once, however often the answer gets lost; `code` "taken" brings `alternatives`."""
        wish = _chosen(slot) | {"reason": reason}
        wish |= {"hold_token": hold["token"]} if hold else {}
        wish |= {"patient_id": patient_id} if patient_id else {}
        return cast(Visit, self._ask("POST", "/appointments", wish))

    def move(self, visit: Visit, starts_at: str) -> Visit:
        """Move a visit; its old time is given up only if the new one is won."""
        body = {"starts_at": starts_at, "version": visit["version"]}
        return cast(Visit, self._ask("POST", f"/appointments/{visit['id']}/reschedule", body))

    def cancel(self, visit: Visit, code: str = "other") -> Visit:
        """Call a visit off; its time is free again."""
        body = {"code": code, "version": visit["version"]}
        return cast(Visit, self._ask("POST", f"/appointments/{visit['id']}/cancel", body))

    def visit(self, visit_id: str) -> Visit:
        return cast(Visit, self._ask("GET", f"/appointments/{visit_id}"))

    def visits(self, when: Literal["upcoming", "past", "called_off"] = "upcoming") -> Iterator[Visit]:
        """One's own visits, page after page."""
        return cast(Iterator[Visit], self._pages("/appointments", {"when": when}))

    # --- what happens ---

    def events(self, after: str = "") -> Iterator[Event]:
        """What happens, as it happens and without an end. Keep the last `id` and go on after it: nothing is lost."""
        while True:
            try:
                for last, event in self._stream(after):
                    after = last
                    if event is not None:
                        yield event
            except requests.RequestException:
                time.sleep(1 + random.random())

    def _stream(self, after: str) -> Iterator[tuple[str, Event | None]]:
        headers = self._authorized() | ({"Last-Event-ID": after} if after else {})
        timeout = (self._timeout, SILENT_FOR)
        with self._http.get(f"{self._root}/stream", headers=headers, stream=True, timeout=timeout) as answer:
            if answer.status_code != 200:
                _wait_or_raise(answer, 0)
                return
            block: dict[str, str] = {}
            for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
                name, _colon, value = line.partition(": ")
                if line and name:
                    block[name] = value
                elif not line and block:
                    if block.get("event") == "bye":  # the server starts anew, or the token is over: the next round …
                        if json.loads(block["data"])["code"] != "closing":
                            self._ends = 0.0  # … brings a new one
                        return
                    yield block.get("id", after), json.loads(block["data"]) if "data" in block else None
                    block = {}

    # --- how it is sent ---

    def _pages(self, path: str, query: Mapping[str, Any]) -> Iterator[Any]:
        after: str | None = None
        while True:
            page = self._ask("GET", path, query={**query, **({"after": after} if after else {})})
            yield from page["items"]
            after = page["next"]
            if not after:
                return

    def _ask(self, method: str, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None) -> Any:
        """The answer to a request as whoever is signed in; raises PortalError."""
        headers = self._authorized()
        if method == "POST":
            headers["Idempotency-Key"] = str(uuid4())  # the same for every try
        try:
            return self._send(method, path, body, query=query, headers=headers)
        except PortalError as no:
            if no.code != "invalid_token" or not self._refresh:
                raise
            self._ends = 0.0  # it ended earlier than we thought: once more with a new one
            return self._send(method, path, body, query=query, headers=headers | self._authorized())

    def _send(self, method: str, path: str, body: Any = None, *, query: Any = None, headers: Any = None) -> Any:
        again = method == "GET" or "Idempotency-Key" in (headers or {})
        for attempt in range(TRIES):
            try:
                answer = self._http.request(
                    method, self._root + path, params=query, json=body, headers=headers, timeout=self._timeout
                )
            except requests.RequestException:  # sent or not, done or not: the same key tells
                if not again or attempt == TRIES - 1:
                    raise
                time.sleep(_pause(attempt))
                continue
            if answer.ok:
                return answer.json() if answer.content else None
            _wait_or_raise(answer, attempt if again else TRIES)
        raise AssertionError("unreachable")

    def _authorized(self) -> dict[str, str]:
        """The header with a token that lasts; a refresh token works once, so one thread at a time renews it."""
        with self._lock:
            if self._refresh and time.monotonic() > self._ends - RENEW_BEFORE:
                self._keep(self._send("POST", "/auth/refresh", {"refresh_token": self._refresh}))
        return {"Authorization": f"Bearer {self._access}"} if self._access else {}

    def _keep(self, tokens: Mapping[str, Any]) -> None:
        self._access, self._refresh = tokens["access_token"], tokens["refresh_token"]
        self._ends = time.monotonic() + tokens["expires_in"]


def _chosen(slot: FreeTime) -> dict[str, str]:
    return {"practice_id": slot["practice_id"], "visit_type_id": slot["visit_type_id"], "starts_at": slot["starts_at"]}


def _wait_or_raise(answer: requests.Response, attempt: int) -> None:
    """Wait where the portal asks to be asked again (busy, too often, the first try still running); else raise."""
    is_problem = answer.headers.get("Content-Type", "").startswith("application/problem+json")
    problem = answer.json() if is_problem else {"status": answer.status_code, "detail": answer.reason}
    passing = answer.status_code in {429, 502, 503, 504} or problem.get("code") == "idempotency_running"
    if not passing or attempt >= TRIES - 1:
        raise PortalError(problem)
    time.sleep(min(float(answer.headers.get("Retry-After", _pause(attempt))), 60.0))


def _pause(attempt: int) -> float:
    """Half a second, then twice as long each time, never all clients at the same moment."""
    return float(0.5 * 2**attempt * (0.5 + random.random()))
