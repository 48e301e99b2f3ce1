"""Taken time as disjoint ranges in lanes, and what of it is free: of a doctor, of rooms and devices. Pure."""

from bisect import bisect_right
from collections.abc import Hashable, Iterable

from portal.domain.scheduling.timetable_rules import Offer, Room, Timetable, VisitRule

NEVER = 1 << 62
# Disjoint ranges in order: the starts, closed by NEVER so that a look past the last range finds nothing; the ends.
Spans = tuple[list[float], list[float]]
FREE: Spans = ([NEVER], [])


def lanes_of(busy: Iterable[tuple[int, int, int]]) -> dict[int, Spans]:
    """What is taken in each lane, overlapping and touching ranges merged."""
    lanes: dict[int, Spans] = {}
    for starts, ends, lane in sorted(busy):
        if starts >= ends:
            continue
        spans = lanes.get(lane)
        if spans is None:
            lanes[lane] = [starts], [ends]
        elif starts > spans[1][-1]:
            spans[0].append(starts)
            spans[1].append(ends)
        elif ends > spans[1][-1]:
            spans[1][-1] = ends
    for spans in lanes.values():
        spans[0].append(NEVER)
    return lanes


def free_rooms(timetable: Timetable, visit: VisitRule, offer: Offer) -> list[list[tuple[Hashable, int]]]:
    """For each group the visit needs, in a fixed order, the rooms or devices it can have with their free lanes."""
    begins, until = offer.occupied_from, offer.occupied_until
    return [
        [(room.id, lane) for room in rooms for lane, spans in room_lanes(room).items() if is_free(spans, begins, until)]
        for rooms in needed(timetable, visit)
    ]


def needed(timetable: Timetable, visit: VisitRule) -> list[list[Room]]:
    return [[room for room in timetable.rooms if room.group == group] for group in sorted(visit.needs, key=str)]


def room_lanes(room: Room) -> dict[int, Spans]:
    busy = lanes_of(room.busy)
    return {lane: busy.get(lane, FREE) for lane in range(1, room.places + 1)}


def any_free(rooms: list[dict[int, Spans]], begins: int, until: int) -> bool:
    return any(is_free(spans, begins, until) for lanes in rooms for spans in lanes.values())


def is_free(spans: Spans, begins: int, until: int) -> bool:
    return spans[0][bisect_right(spans[1], begins)] >= until
