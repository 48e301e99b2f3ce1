"""The doctors of the demo network: invented people (doctors.json) with real-looking weeks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from portal.core.names import slug

SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY, SATURDAY = 6, 0, 1, 2, 3, 5
WORKDAYS = (SUNDAY, MONDAY, TUESDAY, WEDNESDAY, THURSDAY)
MORNING, AFTERNOON, EVENING = ("08:30", "12:30"), ("13:30", "16:30"), ("16:30", "19:30")

# A week: (weekdays, hours) pairs.
WEEKS: dict[str, tuple[tuple[tuple[int, ...], tuple[str, str]], ...]] = {
    "full": ((WORKDAYS, MORNING), (WORKDAYS, AFTERNOON)),
    "full-saturday": ((WORKDAYS, MORNING), ((SUNDAY, MONDAY, WEDNESDAY), AFTERNOON), ((SATURDAY,), ("08:30", "12:30"))),
    "mornings": ((WORKDAYS, ("08:00", "13:00")),),
    "early-week": (((SUNDAY, MONDAY, TUESDAY), MORNING), ((SUNDAY, MONDAY, TUESDAY), AFTERNOON)),
    "late-week": (((WEDNESDAY, THURSDAY), MORNING), ((WEDNESDAY,), AFTERNOON)),
    "evenings": (((SUNDAY, TUESDAY, THURSDAY), EVENING), ((MONDAY, WEDNESDAY), AFTERNOON)),
}


@dataclass(frozen=True)
class DoctorData:
    """A doctor; `places` are (clinic, week) pairs, `fee` is in dinars."""

    given: str
    family: str
    gender: str
    specialties: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    since: int
    languages: str
    fee: int
    about: str

    @property
    def email(self) -> str:
        return f"dr.{slug(self.family).replace('-', '')}@demo.dz"


def _read() -> tuple[DoctorData, ...]:
    rows = json.loads((Path(__file__).parent / "doctors.json").read_text(encoding="utf-8"))
    return tuple(
        DoctorData(**{**row, "specialties": tuple(row["specialties"]), "places": tuple(map(tuple, row["places"]))})
        for row in rows
    )


DOCTORS = _read()
