"""What is measured, each figure defined once. Pure: no database, no clock.

Sources of the definitions: third next available appointment, Institute for Healthcare Improvement, and M. Murray and
D. Berwick, "Advanced access", JAMA 2003;289:1035; the rate of missed visits is the NHS Data Dictionary's "did not
attend" (DNA) over attended and DNA; use of sessions as booked over open time, NHS England, outpatient transformation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

WEEKS = (4, 12, 52)
MOST_DAYS_AHEAD = 90  # how far a third free time is looked for


@dataclass(frozen=True, slots=True)
class Period:
    """Whole weeks that end yesterday, and as many before them to compare with."""

    first: date
    weeks: int

    @classmethod
    def until(cls, today: date, weeks: int) -> Period:
        """The last `weeks` weeks before today; raises ValueError for a number that is not in WEEKS."""
        if weeks not in WEEKS:
            raise ValueError(weeks)
        return cls(today - timedelta(weeks=weeks), weeks)

    @property
    def last(self) -> date:
        return self.first + timedelta(weeks=self.weeks, days=-1)

    @property
    def first_before(self) -> date:
        return self.first - timedelta(weeks=self.weeks)

    def week(self, number: int) -> date:
        """The first date of a week of the period, 0 is its first."""
        return self.first + timedelta(weeks=number)


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one group of visits in one period; spans in minutes, lead times in days, None where unknown."""

    open_minutes: float = 0
    booked_minutes: float = 0
    booked: int = 0  # not cancelled, not declined
    attended: int = 0
    no_shows: int = 0
    late_cancels: int = 0
    unrecorded: int = 0  # over, but nobody said whether the patient came
    lead_days: float | None = None
    lead_days_most: float | None = None
    wait: float | None = None
    wait_most: float | None = None
    length: float | None = None
    planned_length: float | None = None

    @property
    def utilisation(self) -> float | None:
        """Booked time over open time; above 1 when visits were booked outside the hours or over one another."""
        return self.booked_minutes / self.open_minutes if self.open_minutes else None

    @property
    def no_show_rate(self) -> float | None:
        """Patients who did not come over those who came or did not."""
        due = self.attended + self.no_shows
        return self.no_shows / due if due else None

    @property
    def late_cancel_rate(self) -> float | None:
        """Visits called off by the patient after the clinic's cut-off, over these and all that came or did not."""
        due = self.attended + self.no_shows + self.late_cancels
        return self.late_cancels / due if due else None


@dataclass(frozen=True, slots=True)
class Access:
    """How soon a type of visit can be had now: the soonest time, and days to the third next over the doctors."""

    visit_type_id: UUID
    names: dict[str, str]
    soonest: datetime | None
    third_next: datetime | None  # the soonest third free time of any doctor
    days: float | None  # to the third next, on average over the doctors who have one
    doctors: int
    doctors_without: int  # who have fewer than three free times as far as patients may book

    def name_in(self, language: str) -> str:
        return self.names.get(language) or self.names["en"]
