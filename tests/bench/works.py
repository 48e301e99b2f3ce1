"""What is measured: for each work the requests its clients send, and the bar it should reach."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Flask, session
from flask_wtf.csrf import generate_csrf

from portal.core import clock
from portal.domain.identity import signing
from tests.bench.ground import PASSWORD

CLIENTS, RACERS = 32, 200
ZONE = ZoneInfo("Africa/Algiers")
FREE_FROM, FREE_DAYS = 27, 60  # days from today on which every time of every doctor is free

SOON = (clock.today(ZONE) + timedelta(days=4)).isoformat()
BY_TIME: list[dict[str, str]] = [
    {}, {"city": "Algiers"}, {"before": SOON, "language": "ar"}, {"specialty": "cardiology", "before": SOON},
    {"city": "Oran", "within_km": "20", "before": SOON, "language": "ar"}, {"mode": "video", "city": "Oran"},
    {"gender": "female", "city": "Blida", "before": SOON, "sort": "distance"}, {"mode": "video", "before": SOON},
]  # fmt: skip


@dataclass(frozen=True)
class Work:
    """One line of the table. `requests(round)` gives each client's; `once` sends each a single time."""

    name: str
    part: str
    requests: Callable[[int], list[list[bytes]]]
    bar: str
    good: frozenset[int] = frozenset({200})
    once: bool = False
    ratio: bool = False  # beside pgbench


@dataclass
class Desk:
    """Makes requests: knows ids, cookies and tokens."""

    app: Flask
    host: str
    times: dict[str, Iterator[tuple[int, datetime]]] = field(default_factory=dict)
    cookies: dict[int | None, tuple[str, str]] = field(default_factory=dict)
    bearers: dict[int, str] = field(default_factory=dict)

    def works(self) -> list[Work]:
        return [
            Work("directory search, page", "search", self._search("/doctors"), ">= 500 /s"),
            Work("directory search, API", "search", self._search("/api/v1/doctors"), ">= 500 /s"),
            Work("free times of a week, page", "slots", self._doctor_page, ">= 1,000 /s, p99 < 60 ms"),
            Work("free times of a week, API", "slots", self._slots, ">= 1,000 /s, p99 < 60 ms"),
            Work("my appointments, page", "mine", self._mine_page, ">= 1,000 /s"),
            Work("my appointments, API", "mine", self._mine_api, ">= 1,000 /s"),
            Work("sign in, page", "sign-in", self._sign_in_page, ">= 60 /s", frozenset({303})),
            Work("sign in, API", "sign-in", self._sign_in_api, ">= 60 /s"),
            Work("book, page", "book", self._book_page, ">= 0.25 of pgbench", frozenset({303}), ratio=True),
            Work("book, API", "book", self._book_api, ">= 0.25 of pgbench", frozenset({201}), ratio=True),
            Work(
                "race, 200 for 10 places", "race", self._race, "10 won, p99 < 400 ms", frozenset({201, 409}), once=True
            ),
        ]

    def by_time(self) -> list[Work]:
        """What is asked of 10,000 doctors."""
        return [Work("directory by time, page", "time", self._by_time, ">= 250 /s")]

    # --- reading ---

    def _by_time(self, _: int) -> list[list[bytes]]:
        return [
            [self._get(f"/doctors?{urlencode(BY_TIME[(client + n) % len(BY_TIME)])}") for n in range(len(BY_TIME))]
            for client in range(CLIENTS)
        ]

    def _search(self, path: str) -> Callable[[int], list[list[bytes]]]:
        asked: list[dict[str, str]] = [
            {"city": "Oran"}, {"specialty": "cardiology"}, {"name": "doctor12"}, {}, {"language": "fr"},
            {"city": "Algiers", "gender": "female"}, {"name": "samria docter7"}, {"specialty": "ent", "sort": "name"},
        ]  # fmt: skip
        return lambda _: [
            [self._get(f"{path}?{urlencode(asked[(client + n) % len(asked)])}") for n in range(len(asked))]
            for client in range(CLIENTS)
        ]

    def _doctor_page(self, _: int) -> list[list[bytes]]:
        return [
            [self._get(f"/doctors/dr-doctor-{1 + (client * 6 + n) % 200}") for n in range(40)]
            for client in range(CLIENTS)
        ]

    def _slots(self, _: int) -> list[list[bytes]]:
        def path(doctor: int) -> str:
            asked = {
                "practice_id": bench_id("practice", doctor),
                "visit_type_id": bench_id("consultation", 1 + doctor % 20),
                "from": (clock.today(ZONE) + timedelta(days=1)).isoformat(),
                "to": (clock.today(ZONE) + timedelta(days=7)).isoformat(),
            }
            return f"/api/v1/doctors/{bench_id('doctor', doctor)}/slots?{urlencode(asked)}"

        return [[self._get(path(1 + (client * 6 + n) % 200)) for n in range(40)] for client in range(CLIENTS)]

    def _mine_page(self, _: int) -> list[list[bytes]]:
        return [
            [self._get("/patient/appointments", self._cookie(1 + client * 30 + n)[0]) for n in range(30)]
            for client in range(CLIENTS)
        ]

    def _mine_api(self, _: int) -> list[list[bytes]]:
        return [
            [self._get("/api/v1/appointments", self._bearer(1 + client * 30 + n)) for n in range(30)]
            for client in range(CLIENTS)
        ]

    # --- writing ---

    def _sign_in_page(self, _: int) -> list[list[bytes]]:
        def request(person: int) -> bytes:
            cookie, token = self._cookie(None)
            answers = {"email": f"p{person}@bench.dz", "password": PASSWORD, "csrf_token": token}
            return self._post("/account/sign-in", urlencode(answers), cookie)

        return [[request(1 + client * 40 + n) for n in range(40)] for client in range(CLIENTS)]

    def _sign_in_api(self, _: int) -> list[list[bytes]]:
        def request(person: int) -> bytes:
            said = json.dumps({"email": f"p{person}@bench.dz", "password": PASSWORD})
            return self._post("/api/v1/auth/login", said, "Content-Type: application/json\r\n")

        return [[request(1 + client * 40 + n) for n in range(40)] for client in range(CLIENTS)]

    def _book_page(self, _: int) -> list[list[bytes]]:
        def request(person: int, doctor: int, starts_at: datetime) -> bytes:
            cookie, token = self._cookie(person)
            return self._post(
                "/book/details", urlencode({**self._wanted(doctor, starts_at), "csrf_token": token}), cookie
            )

        return [[request(*one) for one in self._free("page", client, 100)] for client in range(CLIENTS)]

    def _book_api(self, _: int) -> list[list[bytes]]:
        def request(person: int, doctor: int, starts_at: datetime) -> bytes:
            head = "Content-Type: application/json\r\n" + self._bearer(person)
            return self._post("/api/v1/appointments", json.dumps(self._wanted(doctor, starts_at)), head)

        return [[request(*one) for one in self._free("api", client, 0)] for client in range(CLIENTS)]

    def _race(self, round_: int) -> list[list[bytes]]:
        doctor = 1 + round_
        day = clock.today(ZONE) + timedelta(days=40)
        starts_at = datetime(day.year, day.month, day.day, 18, tzinfo=ZONE)
        wanted = json.dumps(self._wanted(doctor, starts_at, "group"))
        head = "Content-Type: application/json\r\n"
        return [[self._post("/api/v1/appointments", wanted, head + self._bearer(2001 + n))] for n in range(RACERS)]

    def _free(self, door: str, client: int, doctors_from: int) -> list[tuple[int, int, datetime]]:
        """Some hundred times nobody has asked for yet: (person, doctor, time). Each client has three doctors."""
        source = self.times.setdefault(f"{door}{client}", self._times(doctors_from + 1 + client * 3))
        people = 1 + (client + (CLIENTS if doctors_from else 0)) * 30
        found = []
        for n in range(400):
            doctor, starts_at = next(source)
            found.append((people + n % 30, doctor, starts_at))
        return found

    def _times(self, first_doctor: int) -> Iterator[tuple[int, datetime]]:
        for day in range(FREE_FROM, FREE_FROM + FREE_DAYS):
            for slot in range(16):
                for doctor in range(first_doctor, first_doctor + 3):
                    on = clock.today(ZONE) + timedelta(days=day)
                    minutes = 480 + slot * 30 + (60 if slot >= 8 else 0)
                    yield doctor, datetime(on.year, on.month, on.day, minutes // 60, minutes % 60, tzinfo=ZONE)

    def _wanted(self, doctor: int, starts_at: datetime, kind: str = "consultation") -> dict[str, str]:
        return {
            "practice_id": bench_id("practice", doctor),
            "visit_type_id": bench_id(kind, 1 + doctor % 20),
            "starts_at": starts_at.isoformat(),
        }

    # --- bytes ---

    def _get(self, path: str, head: str = "") -> bytes:
        return f"GET {path} HTTP/1.1\r\nHost: {self.host}\r\nAccept-Language: en\r\n{head}\r\n".encode()

    def _post(self, path: str, body: str, head: str) -> bytes:
        if "Content-Type" not in head:
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
        content = body.encode()
        return (
            f"POST {path} HTTP/1.1\r\nHost: {self.host}\r\n{head}Content-Length: {len(content)}\r\n\r\n".encode()
            + content
        )

    def _cookie(self, person: int | None) -> tuple[str, str]:
        """A browser's cookie header, signed in as this person, and its CSRF token."""
        if person not in self.cookies:
            self.cookies[person] = self._new_cookie(person)
        return self.cookies[person]

    def _new_cookie(self, person: int | None) -> tuple[str, str]:
        with self.app.test_request_context():
            token = generate_csrf()
            if person:
                session.update(_user_id=f"bench-session-{person}", _fresh=True, _permanent=True)
            signer = self.app.session_interface.get_signing_serializer(self.app)
            value = signer.dumps(dict(session))
        return f"Cookie: {self.app.config['SESSION_COOKIE_NAME']}={value}\r\n", token

    def _bearer(self, person: int) -> str:
        """The header of a program signed in for this person."""
        if person not in self.bearers:
            self.bearers[person] = self._new_bearer(person)
        return self.bearers[person]

    def _new_bearer(self, person: int) -> str:
        who, family = bench_id("user", person), bench_id("family", person)
        access = signing.write(user_id=who, family_id=family, lasts=timedelta(hours=10), client=signing.FIRST_PARTY)
        return f"Authorization: Bearer {access}\r\n"


def bench_id(kind: str, n: int) -> str:
    """The id filling.sql gives to the n-th of a kind."""
    digest = hashlib.md5(f"{kind}{n}".encode()).hexdigest()
    return str(UUID(digest[:12] + "7" + digest[13:]))
