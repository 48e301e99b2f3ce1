"""What visits stand on is changed while somebody books: the change waits, and nobody waits in a circle."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from flask import Flask
from sqlalchemy import text

from portal.core import policy as authority
from portal.core.db import keep, session, transaction
from portal.core.errors import Refused
from portal.domain.changes import planning
from portal.domain.scheduling import booking, granting, holds
from portal.domain.scheduling.models import Appointment
from tests.api.conftest import Program
from tests.builders import at, working_day
from tests.races.test_booking_races import crowd
from tests.rules.test_visits_are_named import ACTS, AHEAD, filled
from tests.rules.test_visits_are_named import ids as ids

_WAITS_FOR_ME = text(
    "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
)
SOON = 30  # seconds: the longest that anything here may take on a busy machine


class Aside:
    """Something done in a thread and a transaction of its own; `waits` says whether it waits for the test's own."""

    def __init__(self, app: Flask, does: Callable[[], Any]) -> None:
        self.app, self.does, self.result = app, does, None
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        with self.app.app_context():
            try:
                with transaction():
                    self.result = self.does()
            except Exception as error:
                self.result = error

    def waits(self) -> bool:
        """True once it waits for this transaction, False once it is over."""
        give_up = time.monotonic() + SOON
        while self.thread.is_alive():
            if session().scalar(_WAITS_FOR_ME):
                return True
            assert time.monotonic() < give_up, "neither over nor waiting"
            time.sleep(0.01)
        return False

    def over(self) -> Any:
        self.thread.join(SOON)
        return self.result


def test_every_change_of_what_visits_stand_on_waits_for_a_booking_that_has_read_the_rules(
    committed, ids, client, dr_benali, el_djazair, admin, superadmin
):
    guest, *_ = crowd(1)
    people = {"doctor": dr_benali, "admin": admin, "superadmin": superadmin}
    programs = {name: Program(client).as_(person) for name, person in people.items()}
    wanted = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    for act in ACTS:
        if act.api is None:
            continue
        booking.book(guest, starts_at=at("08:00", AHEAD), **wanted)  # and does not commit yet
        method, path = act.api
        token = programs[act.who].token
        ask = _asking(committed, token, method, filled(path, ids), filled(act.body, ids))
        change = Aside(committed, ask)
        waited = change.waits()
        session().rollback()
        assert (act.kind, waited, change.over()) == (act.kind, True, (409, "visits_affected"))


def test_a_visit_booked_while_a_leave_comes_in_from_a_program_is_named(committed, ids, client, dr_benali, el_djazair):
    guest, *_ = crowd(1)
    token = Program(client).as_(dr_benali).token
    wanted = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    booking.book(guest, starts_at=at("08:00", 9), **wanted)
    day = working_day(9).isoformat()
    path, body = f"/doctors/{dr_benali.doctor_id}/closures", {"first": day, "last": day}
    leave = Aside(committed, _asking(committed, token, "POST", path, body))
    assert leave.waits()
    keep()
    assert leave.over() == (409, "visits_affected")


def test_a_visit_is_moved_while_a_leave_over_it_is_planned(committed, dr_benali, el_djazair, amina):
    wanted = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    visit = booking.book(amina.actor, starts_at=at("09:00"), **wanted).id
    keep()
    patient, doctor, day = amina.actor, dr_benali.actor, working_day()
    authority.find(patient, Appointment, visit, lock=True)  # as a move begins
    leave = Aside(
        committed,
        lambda: planning.save_or_plan(doctor, "close_doctor", dr_benali.doctor_id, first=day, last=day).state,
    )
    leave.waits()
    booking.reschedule(patient, visit, starts_at=at("10:00"))
    keep()
    assert leave.over() == "draft"


def test_a_time_is_held_anew_while_it_is_booked(committed, dr_benali, el_djazair, amina):
    wanted = {"practice_id": dr_benali.practice_id, "visit_type_id": el_djazair.consultation_id}
    actor = amina.actor
    _hold, token = holds.place(actor, starts_at=at("09:00"), **wanted)
    keep()
    granting.hold_by_token(token)  # as booking begins
    anew = Aside(committed, lambda: holds.place(actor, starts_at=at("10:00"), token=token, **wanted)[1])
    anew.waits()
    try:
        booking.book(actor, starts_at=at("09:00"), hold_token=token, **wanted)
        keep()
    except Refused:
        session().rollback()
    assert isinstance(anew.over(), str | Refused)


def _asking(app: Flask, token: str | None, method: str, path: str, body: Any) -> Callable[[], tuple[int, str]]:
    def ask() -> tuple[int, str]:
        said = Program(app.test_client(), token).send(method, path, body)
        return said.status_code, said.json["code"]

    return ask
