"""When a reminder is sent: so long before the visit, but never in the clinic's quiet hours if that can be helped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from portal.domain.clinics.models import Clinic

ENOUGH = timedelta(hours=1)  # a reminder that comes later than this before the visit is of little use
BEFORE_QUIET = tuple(timedelta(minutes=n) for n in (30, 15, 5, 1, 60, 90, 120))  # the first that is not quiet itself


@dataclass(frozen=True)
class Quiet:
    """The hours in which no message that can wait is sent, in the clinic's wall time; none when both ends are equal."""

    begins: time
    ends: time
    zone: ZoneInfo

    @classmethod
    def of(cls, clinic: Clinic | Any) -> Quiet:
        """The quiet hours of a clinic, or of a row that has quiet_from, quiet_until and time_zone."""
        return cls(clinic.quiet_from, clinic.quiet_until, ZoneInfo(clinic.time_zone))

    def holds(self, moment: datetime) -> bool:
        """Whether it is quiet at this moment; the end itself is not."""
        wall = moment.astimezone(self.zone).time().replace(tzinfo=None)
        if self.begins <= self.ends:
            return self.begins <= wall < self.ends
        return wall >= self.begins or wall < self.ends

    def end_after(self, moment: datetime) -> datetime:
        """When the quiet hours that hold `moment` end."""
        local = moment.astimezone(self.zone)
        tomorrow = self.begins > self.ends and local.time() >= self.begins
        ends = datetime.combine(local.date() + timedelta(days=tomorrow), self.ends, self.zone)
        if ends.timestamp() < moment.timestamp():  # the clocks went back: the second time it is this late
            ends = ends.replace(fold=1)
        return ends.astimezone(moment.tzinfo)

    def begin_before(self, moment: datetime) -> datetime:
        """When the quiet hours that hold `moment` began."""
        local = moment.astimezone(self.zone)
        yesterday = self.begins > self.ends and local.time() < self.ends
        begins = datetime.combine(local.date() - timedelta(days=yesterday), self.begins, self.zone)
        return begins.astimezone(moment.tzinfo)


def planned_at(starts_at: datetime, minutes_before: int, quiet: Quiet) -> datetime:
    """When to remind of a visit.

    A time in quiet hours moves to their end if that is more than an hour before the visit, else to before they begin.
    """
    wanted = starts_at - timedelta(minutes=minutes_before)
    if not quiet.holds(wanted):
        return wanted
    ends = quiet.end_after(wanted)
    if starts_at - ends > ENOUGH:
        return ends
    begins = quiet.begin_before(wanted)
    return next((begins - early for early in BEFORE_QUIET if not quiet.holds(begins - early)), wanted)


def not_before(now: datetime, starts_at: datetime, quiet: Quiet) -> datetime | None:
    """Until when a reminder that is due should wait, because it is quiet now; None: it goes at once.

    It does not wait when the hours end too close to the visit: then late at night is better than never.
    """
    if not quiet.holds(now):
        return None
    ends = quiet.end_after(now)
    return ends if starts_at - ends > ENOUGH else None
