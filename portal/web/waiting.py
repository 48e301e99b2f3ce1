"""The waitlist's forms and words, for patients and for the desk."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import time
from typing import Any

from wtforms import BooleanField, HiddenField, SelectField, SelectMultipleField, StringField, TimeField
from wtforms.widgets import CheckboxInput, ListWidget

from portal.core import text
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.core.text import ngettext
from portal.domain.waitlist.entries import Place
from portal.domain.waitlist.models import WaitlistEntry
from portal.domain.waitlist.shapes import JoinWaitlist, OfferByHand, Wish
from portal.web import times
from portal.web.forms import AnyShape, DateField, ShapeForm

URGENCIES = {"routine": _("Not urgent"), "soon": _("Soon"), "urgent": _("Urgent")}
LOOKS = {"routine": ("neutral", "clock"), "soon": ("warn", "clock-up"), "urgent": ("bad", "urgent")}
STATES = {
    "waiting": _("Waiting"),
    "booked": _("Booked"),
    "left": _("Left the waitlist"),
    "over": _("Ended"),
}
WEEK = (6, 0, 1, 2, 3, 4, 5)  # as calendars here show it: from Sunday on
QUARTER = {"step": 900}


class Days(SelectMultipleField):
    """Weekdays, each with a box."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class WishForm(ShapeForm[AnyShape]):
    """Days and hours that suit: two sets of each, which become the Shape's windows."""

    days = Days(_("Days that suit"))
    starts = TimeField(_("From"), render_kw=QUARTER)
    until = TimeField(_("Until"), render_kw=QUARTER)
    other_days = Days(_("Other days"))
    other_starts = TimeField(_("From"), render_kw=QUARTER)
    other_until = TimeField(_("Until"), render_kw=QUARTER)
    first = DateField(_("Not before"))
    last = DateField(_("Not after"))
    urgency = SelectField(_("How urgent?"))
    note = StringField(_("Anything the clinic should know?"))

    @classmethod
    def fresh(cls, *, by_clinic: bool, entry: WaitlistEntry | None = None, **more: Any) -> Any:
        """The form with its choices, filled in from an entry or for a new one; patients are not asked how urgent."""
        form = cls(data={**more, **(_said(entry) if entry else {})})
        names = times.weekday_names()
        form.days.choices = form.other_days.choices = [(str(day), names[day]) for day in WEEK]
        form.urgency.choices = [(code, str(word)) for code, word in URGENCIES.items()]
        if not by_clinic:
            del form.urgency
        return form

    def refuse(self, no: Refused) -> None:
        """A wrong window is said beside its hours."""
        said = {("until" if name.startswith("windows") else name): why for name, why in no.fields.items()}
        no.fields = said
        super().refuse(no)

    def _entered(self) -> dict[str, Any]:
        return {**super()._entered(), "windows": [*self._set(""), *self._set("other_")]}

    def _set(self, prefix: str) -> list[dict[str, Any]]:
        starts, until = (self._raw(f"{prefix}{name}") for name in ("starts", "until"))
        days = self._fields[f"{prefix}days"].raw_data or []
        if not days and (prefix or not (starts or until)):
            return []  # other hours without other days say nothing
        return [{"weekday": day, "starts": starts, "until": until} for day in days or [None]]

    def _raw(self, name: str) -> str | None:
        return next((value for value in self._fields[name].raw_data or [] if value), None)


class ChangeForm(WishForm[Wish]):
    """Other days, hours or urgency of a place on the waitlist."""

    shape = Wish

    def said(self) -> dict[str, Any]:
        """What was answered, emptied fields too; what was not asked stays as it is."""
        return {name: value for name, value in self.clean.values().items() if name == "windows" or name in self._fields}


class JoinForm(WishForm[JoinWaitlist]):
    """A new place on the waitlist."""

    shape = JoinWaitlist

    patient_id = SelectField(_("For whom?"))
    practice_id = HiddenField()
    visit_type_id = HiddenField()
    moves_id = HiddenField()
    any_doctor = BooleanField(_("Any doctor of this clinic will do"))


class HandForm(ShapeForm[OfferByHand]):
    """A free time the desk offers."""

    shape = OfferByHand

    practice_id = HiddenField()
    starts_at = StringField(_("Time"))


def windows(entry: WaitlistEntry) -> list[str]:
    """When somebody can come, a line for each set of hours."""
    names = times.weekday_names()
    lines = []
    for days, hours in _sets(entry.windows):
        which = text.listed(names[day] for day in WEEK if day in days) or say("Any day")
        lines.append(text.labelled(which, _hours(*hours)))
    return lines or [say("Any day, any hour")]


def dates(entry: WaitlistEntry) -> str:
    """The dates that suit."""
    first, last = text.format_date(entry.first, "medium"), text.format_date(entry.last, "medium")
    return say("%(first)s to %(last)s", first=first, last=last)


def before(place: Place) -> str:
    """One's position, and what else decides."""
    if place.before == 0:
        first = (
            say("Nobody is before you for this doctor.") if place.entry.practice_id else say("Nobody is before you.")
        )
    elif place.entry.practice_id:
        first = ngettext("%(n)s person is before you for this doctor.", "%(n)s people are before you for this doctor.",
                         place.before)  # fmt: skip
    else:
        first = ngettext("%(n)s person is before you at this clinic.", "%(n)s people are before you at this clinic.",
                         place.before)  # fmt: skip
    also = say("Offers also depend on the times you can come.")  # inside an f-string it would not be collected
    return f"{first} {also}"


def who(entry: WaitlistEntry) -> str:
    """The doctor somebody waits for, or any of the clinic."""
    return entry.practice.doctor.name if entry.practice else say("Any doctor")


def _said(entry: WaitlistEntry) -> dict[str, Any]:
    """What a form says of an entry."""
    known: dict[str, Any] = {
        "first": entry.first, "last": entry.last, "urgency": entry.urgency, "note": entry.note,
    }  # fmt: skip
    for prefix, (days, (begins, ends)) in zip(("", "other_"), _sets(entry.windows), strict=False):
        known[f"{prefix}days"] = [str(day) for day in days]
        known[f"{prefix}starts"], known[f"{prefix}until"] = _time(begins), _time(ends)
    return known


def _sets(stored: Iterable[dict[str, Any]]) -> list[tuple[set[int], tuple[str, str]]]:
    """The windows with the same hours together: their weekdays (none is any) and their hours."""
    found: dict[tuple[str, str], set[int]] = {}
    for window in stored:
        days = found.setdefault((window["from"], window["until"]), set())
        if window["weekday"] is not None:
            days.add(window["weekday"])
    return [(days, hours) for hours, days in found.items()]


def _hours(begins: str, ends: str) -> str:
    if begins == ends == "00:00":
        return say("any hour")
    if ends == "00:00":
        return say("from %(time)s", time=begins)
    if begins == "00:00":
        return say("until %(time)s", time=ends)
    return f"{begins} – {ends}"


def _time(written: str) -> time | None:
    return None if written == "00:00" else time.fromisoformat(written)
