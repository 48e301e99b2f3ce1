"""What the notices of appointments say: their letters, their words in the app and by SMS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from portal.core.text import beside_zone, format_date, format_time, format_when, lazy_pgettext
from portal.core.text import gettext as say
from portal.core.text import lazy as _
from portal.domain.access import acting
from portal.domain.notifications import kinds
from portal.domain.notifications.kinds import Facts, Kind
from portal.domain.scheduling import calendars
from portal.domain.scheduling.appointments import WHOLE
from portal.domain.scheduling.models import PENDING, RELEASED, UPCOMING, Appointment
from portal.gateways.mail import Attachment

REASONS = {
    "better": _("The patient feels better."),
    "no_time": _("There is no time at this hour."),
    "elsewhere": _("The patient goes elsewhere."),
    "mistake": _("It was booked by mistake."),
    "doctor_away": _("The doctor is away."),
    "clinic_closed": _("The clinic is closed."),
    "not_my_field": _("Another kind of doctor can help better."),
    "needs_other_visit": _("Another type of visit is needed."),
}
appointment = kinds.rows(Appointment, *WHOLE)  # the appointment a notice is about, with all that its words need


def letter_about(facts: Facts, about: Appointment, locale: str) -> dict[str, Any]:
    """What the letter of an appointment is filled with: never why somebody comes."""
    was, can_sign_in = facts.get("was"), facts.get("has_account", True)
    return {
        "visit_link": None if can_sign_in else _without_account(about),
        "doctor": about.doctor.name,
        "clinic": about.clinic.name,
        "address": about.clinic.address,
        "city": about.clinic.city,
        "phone": about.clinic.phone,
        "starts_at": about.starts_at,
        "zone": about.clinic.time_zone,
        "visit_type": about.visit_type.name_in(locale),
        "mode": about.mode,
        "reference": about.reference,
        "appointment_id": about.id,
        "moved_from": datetime.fromisoformat(was) if was else None,
        "reason_sentence": str(REASONS[about.end_code]) if about.end_code in REASONS else None,
    }


def answer_link(about: Appointment) -> str:
    """The path at which the patient sees the visit without signing in, says “I will come”, or cancels."""
    return acting.link("attendance", patient_id=about.patient_id, subject_id=about.id, version=about.version)


def _without_account(about: Appointment) -> str:
    """Where somebody goes who cannot sign in: to the visit, or to the doctor's free times when it is off."""
    return answer_link(about) if about.status in UPCOMING else f"/doctors/{about.doctor.slug}"


def calendar_file(about: Appointment) -> list[Attachment]:
    """The appointment for a calendar program; a released one takes itself out of it."""
    kind = f"text/calendar; method={calendars.method(about)}; charset=utf-8"
    return [Attachment("appointment.ics", calendars.ics(about), kind)]


def still_so(facts: Facts, about: Appointment) -> bool:
    """Whether nothing was changed since."""
    return about.status not in RELEASED and facts.get("version", about.version) == about.version


def still_asked(facts: Facts, about: Appointment) -> bool:
    return still_so(facts, about) and about.status == PENDING


def patients_page(about: Appointment) -> str:
    return f"/patient/appointments/{about.id}"


def doctors_page(about: Appointment) -> str:
    return f"/doctor/appointments/{about.id}"


def short_time(moment: datetime, about: Appointment) -> str:
    """Day and time in the clinic's zone, short enough for an SMS."""
    local = moment.astimezone(about.clinic.zone)
    return beside_zone(f"{format_date(local.date(), 'short')} {format_time(local)}", moment, about.clinic.zone)


def _said(words: Callable[[Facts, str, str, str], str]) -> Callable[[Facts, Any], str]:
    """A sentence made of the facts, the doctor's name, the patient's name and the time."""

    def sentence(facts: Facts, about: Appointment | None) -> str:
        when = datetime.fromisoformat(facts["starts_at"]) if "starts_at" in facts else None
        zone = about.clinic.time_zone if about else None
        time = format_when(when, zone) if when else ""
        return words(facts, about.doctor.name if about else "", about.patient.name if about else "", time)

    return sentence


def _short(words: Callable[[str, str], str]) -> Callable[[Facts, Any], str | None]:
    """An SMS made of the clinic's name and the time."""
    return lambda facts, about: words(about.clinic.name, short_time(about.starts_at, about))


def _of_patient(name: str, letter: str, icon: str, label: Any, **more: Any) -> Kind:
    return Kind(
        f"appointment.{name}",
        appointment,
        letter=letter,
        about=letter_about,
        attachments=calendar_file,
        url=patients_page,
        icon=icon,
        label=label,
        **more,
    )


def _of_doctor(name: str, icon: str, label: Any, **more: Any) -> Kind:
    return Kind(
        f"doctor.{name}",
        appointment,
        letter=f"doctor_{name}",
        about=letter_about,
        attachments=calendar_file,
        url=doctors_page,
        icon=icon,
        label=label,
        **more,
    )


kinds.add(
    _of_patient(
        "booked",
        "appointment_booked",
        "calendar-plus",
        lazy_pgettext("event", "Booked"),
        stands=still_so,
        must_reach=False,  # whoever books it without an account stands at the desk or is on the phone
        sentence=_said(lambda f, doctor, p, time: say("Booked: %(doctor)s, %(time)s.", doctor=doctor, time=time)),
        sms=_short(lambda clinic, time: say("%(clinic)s: appointment booked for %(time)s.", clinic=clinic, time=time)),
    ),
    _of_patient(
        "requested",
        "appointment_requested",
        "hourglass",
        _("Requested"),
        stands=still_asked,
        must_reach=False,
        sentence=_said(
            lambda f, doctor, p, time: say(
                "Requested: %(doctor)s, %(time)s. The doctor will answer.", doctor=doctor, time=time
            )
        ),
        sms=_short(
            lambda clinic, time: say(
                "%(clinic)s: appointment requested for %(time)s. You get an answer.", clinic=clinic, time=time
            )
        ),
    ),
    _of_patient(
        "confirmed",
        "appointment_confirmed",
        "circle-check",
        lazy_pgettext("event", "Confirmed"),
        stands=still_so,
        sentence=_said(
            lambda f, doctor, p, time: say("%(doctor)s has confirmed your visit: %(time)s.", doctor=doctor, time=time)
        ),
        sms=_short(
            lambda clinic, time: say("%(clinic)s: appointment confirmed for %(time)s.", clinic=clinic, time=time)
        ),
    ),
    _of_patient(
        "declined",
        "appointment_declined",
        "ban",
        lazy_pgettext("event", "Declined"),
        sentence=_said(
            lambda f, doctor, p, time: say("%(doctor)s cannot take your visit on %(time)s.", doctor=doctor, time=time)
        ),
        sms=_short(
            lambda clinic, time: say(
                "%(clinic)s: the appointment on %(time)s is not possible. Please choose another.",
                clinic=clinic,
                time=time,
            )
        ),
    ),
    _of_patient(
        "moved",
        "appointment_moved",
        "calendar-event",
        lazy_pgettext("event", "Moved"),
        stands=still_so,
        sentence=_said(
            lambda f, doctor, p, time: say("Your visit with %(doctor)s is now on %(time)s.", doctor=doctor, time=time)
        ),
        sms=_short(
            lambda clinic, time: say("%(clinic)s: your appointment is now on %(time)s.", clinic=clinic, time=time)
        ),
    ),
    _of_patient(
        "cancelled",
        "appointment_cancelled",
        "calendar-x",
        lazy_pgettext("event", "Cancelled"),
        sentence=_said(
            lambda f, doctor, p, time: say(
                "Your visit with %(doctor)s on %(time)s is cancelled.", doctor=doctor, time=time
            )
        ),
        sms=_short(
            lambda clinic, time: say("%(clinic)s: the appointment on %(time)s is cancelled.", clinic=clinic, time=time)
        ),
    ),
    _of_doctor(
        "booked",
        "calendar-plus",
        _("New visits"),
        stands=still_so,
        sentence=_said(lambda f, d, name, time: say("%(patient)s has booked %(time)s.", patient=name, time=time)),
    ),
    _of_doctor(
        "moved",
        "calendar-event",
        _("Moved visits"),
        stands=still_so,
        sentence=_said(lambda f, d, name, time: say("%(patient)s has moved to %(time)s.", patient=name, time=time)),
    ),
    _of_doctor(
        "cancelled",
        "calendar-x",
        _("Cancelled visits"),
        sentence=_said(
            lambda f, d, name, time: say("%(patient)s no longer comes on %(time)s.", patient=name, time=time)
        ),
    ),
)
