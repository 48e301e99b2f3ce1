"""Rooms and devices: who keeps them, what needs them, and what happens to visits when one goes out of use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from portal.core.db import keep, session
from portal.core.errors import Invalid, NotFound
from portal.domain.clinics import resources
from portal.domain.clinics.models import Resource
from portal.domain.scheduling import availability, booking, out_of_use, visit_types
from portal.domain.scheduling.impact import VisitsAffected
from portal.domain.scheduling.models import VisitType
from portal.domain.scheduling.out_of_use import GroupNeeded
from portal.domain.scheduling.shapes import VisitTypeShape
from tests.builders import at, working_day


@dataclass(frozen=True)
class Rooms:
    """A group and what is in it."""

    id: UUID
    each: tuple[UUID, ...]


@pytest.fixture
def rooms(admin: Any, el_djazair: Any) -> Rooms:
    """Two treatment rooms."""
    made = resources.add_group(admin.actor, el_djazair.clinic_id, kind="room", name="Treatment room")
    each = [resources.add(admin.actor, made.id, name=name).id for name in ("Room 1", "Room 2")]
    found = Rooms(made.id, tuple(each))
    keep()
    return found


def needing(admin: Any, place: Any, *groups: Any) -> VisitType:
    """The consultation needs one of each of these."""
    kind = visit_types.get(admin.actor, place.consultation_id)
    said = {name: getattr(kind, name) for name in VisitTypeShape.model_fields if name != "needs"}
    visit_types.change(admin.actor, kind.id, **said, needs=[group.id for group in groups])
    keep()
    return visit_types.get(admin.actor, kind.id)


def test_groups_come_with_what_is_in_them(admin: Any, el_djazair: Any, rooms: Any) -> None:
    resources.add_group(admin.actor, el_djazair.clinic_id, kind="device", name="ECG")
    found = resources.of_clinic(admin.actor, el_djazair.clinic_id)
    assert [(one.kind, one.name, [each.name for each in one.resources]) for one in found] == [
        ("room", "Treatment room", ["Room 1", "Room 2"]),
        ("device", "ECG", []),
    ]


def test_names_are_changed_and_used_once(admin: Any, el_djazair: Any, rooms: Any) -> None:
    other = resources.add_group(admin.actor, el_djazair.clinic_id, kind="room", name="Lab")
    with pytest.raises(Invalid):
        resources.add_group(admin.actor, el_djazair.clinic_id, kind="device", name="LAB")
    with pytest.raises(Invalid):
        resources.change_group(admin.actor, other.id, kind="room", name="treatment ROOM")
    assert resources.change_group(admin.actor, other.id, kind="device", name="Scanner").kind == "device"
    with pytest.raises(Invalid):
        resources.add(admin.actor, rooms.id, name="room 1")
    with pytest.raises(Invalid):
        resources.change(admin.actor, rooms.each[0], name="Room 2")
    assert resources.change(admin.actor, rooms.each[0], name="Room A", places=3).places == 3
    assert resources.add(admin.actor, other.id, name="Room 1").group_id == other.id


@pytest.mark.parametrize("about", [{"name": "", "places": 1}, {"name": "X", "places": 0}, {"name": "X", "places": 51}])
def test_a_room_that_makes_no_sense_is_refused(admin: Any, rooms: Any, about: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        resources.add(admin.actor, rooms.id, **about)


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "amina", "kamel"])
def test_rooms_are_the_admins_of_the_clinic(request: Any, rooms: Any, el_djazair: Any, who: str) -> None:
    actor, one = request.getfixturevalue(who).actor, rooms.each[0]
    for verb, key, about in (
        (resources.of_clinic, el_djazair.clinic_id, {}),
        (resources.add_group, el_djazair.clinic_id, {"kind": "room", "name": "Lab"}),
        (resources.change_group, rooms.id, {"kind": "room", "name": "Lab"}),
        (resources.add, rooms.id, {"name": "Lab"}),
        (resources.change, one, {"name": "Lab"}),
        (resources.reopen, one, {}),
        (out_of_use.close, one, {}),
        (out_of_use.end_group, rooms.id, {}),
    ):
        with pytest.raises(NotFound):
            verb(actor, key, **about)


def test_a_visit_type_needs_groups_of_its_own_clinic(
    admin: Any, superadmin: Any, el_djazair: Any, wahran: Any, rooms: Any
) -> None:
    kind = needing(admin, el_djazair, rooms)
    assert [one.id for one in kind.needs] == [rooms.id]
    found = visit_types.needing(admin.actor, el_djazair.clinic_id)
    assert {key: [one.id for one in kinds] for key, kinds in found.items()} == {rooms.id: [kind.id]}
    elsewhere = resources.add_group(superadmin.actor, wahran.clinic_id, kind="room", name="Lab")
    with pytest.raises(Invalid) as no:
        needing(admin, el_djazair, elsewhere)
    assert "needs" in no.value.fields
    assert needing(admin, el_djazair).needs == []


def test_a_room_without_visits_goes_out_of_use_and_comes_back(
    admin: Any, dr_benali: Any, el_djazair: Any, rooms: Any
) -> None:
    needing(admin, el_djazair, rooms)
    for one in rooms.each:
        out_of_use.close(admin.actor, one)
    day = working_day()
    ask = (dr_benali.actor, dr_benali.practice_id, el_djazair.consultation_id, day, day)
    assert availability.offers(*ask) == []
    resources.reopen(admin.actor, rooms.each[0])
    keep()
    assert availability.offers(*ask)


def test_a_room_with_visits_goes_out_of_use_only_when_they_are_decided(
    admin: Any, amina: Any, dr_benali: Any, el_djazair: Any, rooms: Any
) -> None:
    needing(admin, el_djazair, rooms)
    visit = booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    taken = [one for one in rooms.each if out_of_use.visits_in([one])]
    assert len(taken) == 1
    with pytest.raises(VisitsAffected) as no:
        out_of_use.close(admin.actor, taken[0])
    assert no.value.facts["visits"] == [visit.id]
    assert not out_of_use.close(admin.actor, taken[0], keep_visits=True).is_active


def test_a_group_is_removed_once_nothing_needs_it(
    admin: Any, amina: Any, dr_benali: Any, el_djazair: Any, rooms: Any
) -> None:
    kind = needing(admin, el_djazair, rooms)
    booking.book(
        amina.actor, practice_id=dr_benali.practice_id, visit_type_id=el_djazair.consultation_id, starts_at=at("09:00")
    )
    keep()
    with pytest.raises(GroupNeeded) as no:
        out_of_use.end_group(admin.actor, rooms.id)
    assert (no.value.facts["visit_types"], "Consultation" in str(no.value)) == ([kind.id], True)
    needing(admin, el_djazair)
    with pytest.raises(VisitsAffected):
        out_of_use.end_group(admin.actor, rooms.id)
    assert out_of_use.end_group(admin.actor, rooms.id, keep_visits=True) == el_djazair.clinic_id
    assert session().query(Resource).count() == 0


def test_the_policy_is_said_whole() -> None:
    about = {
        "name": "ECG",
        "duration": 20,
        "bookable_by": "invited",
        "most_upcoming": 1,
        "most_per_day": 8,
        "most_moves": 0,
    }
    said = visit_types.in_words(VisitTypeShape(**about))
    for line in (
        "Only for patients the doctor has invited.",
        "Book at most 60 days ahead.",
        "You can have 1 visit of this kind ahead of you.",
        "The doctor sees at most 8 patients a day.",
        "It cannot be moved online.",
    ):
        assert line in said
    desk = visit_types.in_words(VisitTypeShape(name="ECG", duration=20, bookable_by="desk"))
    assert desk[0] == "Booked by the clinic's front desk."
    assert not any("ahead" in line for line in desk)
