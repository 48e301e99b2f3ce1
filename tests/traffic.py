"""People who book and read while something happens: so many requests a second, every other one a booking."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from portal.core.db import keep, session, undo
from portal.domain.identity import signing
from portal.domain.scheduling.models import Appointment
from tests.builders import at, grant_for, make_patient, make_user, working_day

__all__ = ["traffic", "travellers"]
EVERY = 0.2  # seconds between two requests
PERSISTS = 90.0  # seconds for which somebody asks again, under the same Idempotency-Key
WALLS = [f"{hour:02}:{minute:02}" for hour in (8, 9, 10, 11, 13, 14, 15) for minute in (0, 30)]


class Traffic:
    """Requests until the block ends; what was answered, by what it was.

    `again` asks again where no answer came, or one that says to come later, as programs do.
    """

    def __init__(self, ask: Callable[..., Any], tokens: list[str], wish: dict[str, str], *, again: bool) -> None:
        self._ask, self.tokens, self._wish, self._again = ask, tokens, wish, again
        self.answers: list[tuple[str, int | str, float]] = []
        self.refusals: Counter[int | str] = Counter()  # what was said to whoever asked again
        ahead = {working_day(days): days for days in range(54, 1, -1)}
        self._times = [at(wall, days) for _, days in sorted(ahead.items()) for wall in WALLS]
        self._over = threading.Event()

    def __enter__(self) -> Traffic:
        self._pool = ThreadPoolExecutor(64)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
        self._pool.shutdown()

    @property
    def lost(self) -> list[tuple[str, int | str, float]]:
        """Whatever was not done."""
        return [one for one in self.answers if one[1] not in {200, 201}]

    @property
    def counted(self) -> str:
        """What was answered, in a line."""
        kinds = sorted(Counter(f"{kind} {status}" for kind, status, _ in self.answers).items())
        slowest = max(seconds for *_, seconds in self.answers)
        said = ", ".join(f"{n} × {status}" for status, n in self.refusals.items())
        again = f"; asked again after {said}" if said else ""
        return f"{', '.join(f'{n} × {kind}' for kind, n in kinds)}{again}; slowest {slowest:.1f} s"

    @property
    def asked_again(self) -> int:
        return self.refusals.total()

    @property
    def booked(self) -> int:
        return sum(kind == "booking" and status == 201 for kind, status, _ in self.answers)

    def _run(self) -> None:
        number = 0
        while not self._over.wait(EVERY):
            self._pool.submit(self._one, number)
            number += 1

    def _one(self, number: int) -> None:
        kind = "booking" if number % 2 else ("page", "reading")[number % 4 // 2]
        headers = {"Authorization": f"Bearer {self.tokens[number % len(self.tokens)]}"}
        if kind == "booking":
            body = json.dumps({**self._wish, "starts_at": self._times[number // 2].isoformat()})
            words = ("POST", "/api/v1/appointments", body)
            headers["Idempotency-Key"] = str(uuid4())
        else:
            words = ("GET", "/doctors" if kind == "page" else "/api/v1/appointments", None)
        began = time.monotonic()
        status = self._answer(words, headers)
        while self._again and status not in {200, 201} and time.monotonic() < began + PERSISTS:
            self.refusals[status] += 1
            time.sleep(0.5)
            status = self._answer(words, headers)
        self.answers.append((kind, status, time.monotonic() - began))

    def _answer(self, words: tuple[str, str, str | None], headers: dict[str, str]) -> int | str:
        try:
            return int(self._ask(*words, **headers).status)
        except (OSError, http.client.HTTPException) as why:
            return type(why).__name__


class Plain:
    """Requests to a port of this machine, each over a connection of its own."""

    def __init__(self, port: int) -> None:
        self.port = port

    def __call__(self, method: str, path: str, body: str | None = None, **headers: str) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            connection.close()


@pytest.fixture
def travellers(committed: Any) -> list[UUID]:
    """Accounts that book."""
    made = [make_user("Guest", f"Number{one}") for one in range(101)]  # a patient may have only so many visits ahead
    for one in made:
        make_patient(one)
    ids = [one.id for one in made]
    keep()
    return ids


@pytest.fixture
def traffic(travellers: list[UUID], dr_benali: Any, el_djazair: Any) -> Callable[..., Traffic]:
    """A function that has people come to an address: `ask` does one request, `url` is what the portal is told it is."""

    def begin(ask: Callable[..., Any], url: str, *, again: bool = False) -> Traffic:
        own = signing.issuer()
        signing.issue_as(url)  # the portal's secret is the tests' own, so tokens in its name count there
        tokens = [grant_for(one).access_token for one in travellers]
        signing.issue_as(own)
        wish = {"practice_id": str(dr_benali.practice_id), "visit_type_id": str(el_djazair.consultation_id)}
        keep()
        return Traffic(ask, tokens, wish, again=again)

    return begin


def visits() -> int:
    """How many visits there are in the database."""
    undo()  # what was read before is over
    return int(session().scalar(select(func.count()).select_from(Appointment)) or 0)
