"""The Python client of the documents, at the real portal: what an integrator does on the first day."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue
from types import ModuleType
from typing import Any, get_args, get_type_hints

import pytest
import requests

from portal.core.db import keep, session
from portal.domain.scheduling.models import Appointment
from tests.builders import PASSWORD

pytestmark = pytest.mark.xdist_group("journeys")
EXAMPLES = Path(__file__).resolve().parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    """docs/examples/portal_client.py, as a program would import it."""
    spec = importlib.util.spec_from_file_location("portal_client", EXAMPLES / "portal_client.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def portal(live_server: str, example: ModuleType, amina: Any, dr_benali: Any, dr_haddad: Any) -> Any:
    """The client, signed in as Amina."""
    keep()
    client = example.Portal(live_server)
    client.sign_in(amina.email, PASSWORD, label="Tests")
    return client


@pytest.fixture
def slots(portal: Any, el_djazair: Any) -> list[Any]:
    """What is free with Dr Benali, found as one finds it."""
    [doctor] = portal.doctors(specialty="cardiology")
    practice = doctor["practices"][0]
    kind = next(one for one in portal.visit_types(practice["id"]) if one["id"] == str(el_djazair.consultation_id))
    found: list[Any] = portal.slots(doctor["id"], practice["id"], kind["id"])
    assert len(found) > 3
    return found


def test_a_visit_is_found_held_booked_moved_and_called_off(portal: Any, slots: list[Any], example: ModuleType) -> None:
    visit = portal.book(slots[-1], reason="Check-up", hold=portal.hold(slots[-1]))
    assert (visit["status"], visit["starts_at"]) == ("confirmed", slots[-1]["starts_at"])
    moved = portal.move(visit, slots[-2]["starts_at"])
    assert (moved["id"], moved["version"], moved["starts_at"]) == (visit["id"], 2, slots[-2]["starts_at"])
    with pytest.raises(example.PortalError) as no:
        portal.cancel(visit)  # in a version that is not the present one
    assert (no.value.status, no.value.code) == (409, "stale_version")
    assert portal.cancel(moved, "mistake")["status"] == "cancelled"
    assert portal.visit(visit["id"])["status"] == "cancelled"


def test_a_time_that_is_taken_comes_with_others(
    portal: Any, slots: list[Any], example: ModuleType, live_server: str, yacine: Any
) -> None:
    portal.book(slots[-1])
    keep()
    other = example.Portal(live_server, language="fr")
    other.sign_in(yacine.email, PASSWORD)
    with pytest.raises(example.PortalError) as no:
        other.book(slots[-1])
    assert (no.value.status, no.value.code) == (409, "taken")
    assert no.value.alternatives
    assert no.value.detail
    assert no.value.correlation_id


def test_an_answer_that_gets_lost_is_asked_for_again_and_one_visit_is_made(
    portal: Any, slots: list[Any], amina: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    really, lost = portal._http.request, []

    def loses_the_first(method: str, url: str, **more: Any) -> Any:
        answer = really(method, url, **more)
        if method == "POST" and not lost:
            lost.append(answer)
            raise requests.ConnectionError("the line broke")
        return answer

    monkeypatch.setattr(portal._http, "request", loses_the_first)
    visit = portal.book(slots[-1])
    assert lost[0].status_code == 201
    assert visit == lost[0].json()
    assert session().query(Appointment).filter_by(patient_id=amina.patient_id).count() == 1


def test_lists_are_read_to_their_end(portal: Any, slots: list[Any]) -> None:
    booked = {portal.book(slots[number])["id"] for number in (0, -1)}
    pages = list(portal._pages("/appointments", {"when": "upcoming", "limit": 1}))
    assert {one["id"] for one in pages} == booked == {one["id"] for one in portal.visits()}


def test_a_token_that_ended_is_renewed_on_the_way(portal: Any, amina: Any) -> None:
    first = portal._access
    portal._ends = 0.0
    assert list(portal.visits()) == []
    assert portal._access != first
    portal._access = "worn out"
    assert list(portal.visits()) == []


def test_every_parameter_it_names_is_one_the_api_takes(portal: Any, slots: list[Any], example: ModuleType) -> None:
    named = dict(re.findall(r'(\w+)="([^"]+)"', example.Portal.doctors.__doc__))
    assert named.keys() >= {"specialty", "city", "name"}
    for name, value in named.items():
        list(portal.doctors(**{name: value}))
    ids = [slots[0][name] for name in ("practice_id", "visit_type_id")]
    [doctor] = portal.doctors(specialty="cardiology")
    day = slots[-1]["starts_at"][:10]
    assert {one["starts_at"][:10] for one in portal.slots(doctor["id"], *ids, first=day, last=day)} == {day}
    for when in get_args(get_type_hints(example.Portal.visits)["when"]):
        assert list(portal.visits(when)) == []
    with pytest.raises(example.PortalError) as no:
        list(portal.doctors(q="benali"))
    assert (no.value.status, no.value.errors[0]["field"]) == (422, "q")


def test_signing_out_ends_it(portal: Any, example: ModuleType, amina: Any) -> None:
    portal.sign_out()
    with pytest.raises(example.PortalError) as no:
        list(portal.visits())
    assert no.value.code == "no_token"
    with pytest.raises(example.PortalError) as no:
        portal.sign_in(amina.email, "wrong")
    assert no.value.status == 401


def test_what_happens_is_heard_and_gone_on_from(portal: Any, slots: list[Any]) -> None:
    heard: Queue[Any] = Queue()
    begun = threading.Event()
    listening = threading.Thread(target=_listen, args=(portal, heard, begun), daemon=True)
    listening.start()
    assert begun.wait(20)
    visit = portal.book(slots[-1])
    first = heard.get(timeout=30)
    assert (first["type"], first["subject_id"], first["status"]) == ("appointment.booked", visit["id"], "confirmed")
    listening.join(30)
    portal.cancel(visit, "mistake")
    later: Iterator[Any] = portal.events(after=first["id"])
    types = [next(later)["type"]]
    while types[-1] != "appointment.cancelled":
        types.append(next(later)["type"])
    assert "appointment.booked" not in types


def _listen(portal: Any, heard: Queue[Any], begun: threading.Event) -> None:
    for _last, event in portal._stream(""):
        begun.set()  # the first block says where it begins
        if event is not None:
            return heard.put(event)


def test_the_short_program_of_the_documents_does_what_it_says(
    live_server: str, amina: Any, dr_benali: Any, portal: Any
) -> None:
    ran = subprocess.run(
        [sys.executable, "book_a_visit.py", live_server, amina.email, PASSWORD],
        cwd=EXAMPLES, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    first, second = ran.stdout.splitlines()
    assert "Benali" in first
    assert second == "cancelled"
