"""Open pages look again when a visit is booked, moved or called off: the doctor's, and those of the clinic's desk."""

from __future__ import annotations

from typing import Any

from portal.core import events
from portal.core.db import session
from portal.domain.notifications import notices
from portal.domain.scheduling import booking
from tests.builders import at


def test_the_doctor_and_the_desk_of_the_clinic_are_nudged_and_nobody_elses(
    amina: Any, dr_benali: Any, el_djazair: Any, nadia: Any, admin: Any, kamel: Any
) -> None:
    made = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    events.write_pending()
    session().info.pop("nudges", None)
    notices.appointment_booked(str(events.history(made)[0].id), str(made.id))
    told = {channel for channel, topic in session().info["nudges"] if topic == "schedule"}
    assert told == {f"user:{one.user_id}" for one in (dr_benali, nadia, admin)}
