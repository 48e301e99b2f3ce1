"""For every route a request that is really acceptable from whoever may: what is named, and what is said.

A program's body is the example of the API's description with ids and times of the world; a form is typed the same way
whatever it is for (`typed`), and asking_own.py has what a route needs beside that. A route's ids are found by their
names, or by what stands before them in the address.
"""

from __future__ import annotations

from typing import Any

from tests.builders import PASSWORD, at
from tests.rules.world import World

NOWHERE = "019aa000-0000-7000-8000-000000000000"
VISIT_IS = {  # the state a visit must be in for what is asked of it
    "confirm": "pending", "decline": "pending", "call": "waiting", "start": "waiting", "to-front": "waiting",
    "move_to_front": "waiting", "from-front": "front", "move_from_front": "front", "complete": "under_way",
    "send-back": "under_way", "send_back": "under_way", "take-back": "over", "take_back": "over", "no-show": "late",
    "mark_no_show": "late", "review": "reviewed", "write_review": "reviewed", "get_review": "reviewed",
    "get_series": "of_series", "cancel_series": "of_series",
}  # fmt: skip
BEFORE = {  # what the id after this part of the address is of
    "rooms": "group", "resources": "resource", "hours": "opening", "openings": "opening", "practices": "practice",
    "programs": "program", "webhooks": "webhook", "messages": "message", "reviews": "review", "holidays": "holiday",
    "reminders": "reminder", "memberships": "membership", "users": "user", "tasks": "task", "visit-types": "kind",
    "closures": "clinic_closure", "visits": "visit", "appointments": "visit", "calendar": "visit", "week": "visit",
    "waitlist": "entry", "offers": "offer", "calls": "call", "patients": "patient", "changes": "draft_change",
    "family": "child", "care": "care", "favourites": "doctor", "time-off": "closure", "calendars": "calendar",
    "allergies": "allergy", "sessions": "session", "notifications": "notification", "book": "practice",
    "done": "visit", "room-groups": "group", "proposals": "draft_proposal", "doctors": "doctor", "clinics": "clinic",
    "invitations": "invitation", "clinic-invitations": "clinic_invitation", "amendments": "amendment",
    "doctor-amendments": "amendment", "requests": "request", "record-requests": "request",
}  # fmt: skip
NAMED = {"visit_type_id": "kind", "practice_id": "practice", "care_id": "care", "message_key": "message"}
ABOUT = {  # routes about another thing than the others of their kind
    "admin.reopen_resource": {"key": "closed_resource"}, "api_v1.reopen_resource": {"resource_id": "closed_resource"},
    "admin.resume_webhook": {"key": "paused_webhook"}, "api_v1.resume_webhook": {"webhook_id": "paused_webhook"},
    "desk.offer_now": {"key": "entry_free"}, "api_v1.make_offer": {"entry_id": "entry_free"},
    "changes.accept": {"key": "asked_proposal"}, "changes.remember": {"key": "draft_change"},
    "changes.other_times": {"key": "draft_proposal"}, "changes.propose": {"key": "draft_proposal"},
    "patient.change": {"key": "asked_change"}, "patient.answer_change": {"key": "asked_change"},
    "admin.connect_doctor": {"slug": "second_slug"}, "api_v1.invite_doctor": {"doctor_id": "second"},
    "admin.send_invitation": {"key": "clinic_invitation"}, "admin.withdraw_invitation": {"key": "clinic_invitation"},
    "api_v1.confirm_record_request": {"request_id": "paper_request"}, "desk.confirm_request": {"key": "paper_request"},
    "api_v1.see_record_request": {"request_id": "done_request"}, "patient.see_request": {"key": "done_request"},
    "api_v1.dispute_record_request": {"request_id": "done_request"}, "patient.dispute_request": {"key": "done_request"},
    "api_v1.ask_to_join": {"patient_id": "unowned"}, "desk.ask_to_join": {"key": "unowned"},
    "api_v1.ask_to_hand_over": {"patient_id": "unowned"},
    "desk.preview_merge": {"key": "twin", "other": "twice"}, "desk.merge_patients": {"key": "twin", "other": "twice"},
    "api_v1.preview_merge": {"patient_id": "twin", "other_id": "twice"},
    "api_v1.merge_patients": {"patient_id": "twin"},
    **{f"desk.{one}": {"key": "twice"} for one in ("death", "note_death")}, "desk.undo_death": {"key": "dead"},
    "api_v1.note_death": {"patient_id": "twice"}, "api_v1.undo_death": {"patient_id": "dead"},
    "desk.undo_merge": {"key": "twin", "merge_id": "merge"}, "api_v1.undo_merge": {"merge_id": "merge"},
    "desk.end_care_of": {"key": "child"},
    "admin.reopen_clinic": {"key": "clinic_closure"},
    "api_v1.remove_closure": {"closure_id": "closure"},
    "patient.withdraw_invitation": {"key": "care_invitation"}, "doctor.invite": {"key": "over"},
    "doctor.send_invitation": {"key": "over"}, "desk.reopen_call": {"key": "closed_call"},
    "api_v1.withdraw_care_invitation": {"invitation_id": "care_invitation"},
    **{f"api_v1.{one}": {"proposal_id": "asked_proposal"}
       for one in ("accept_proposal", "call_off", "choose_time", "list_choices_of_proposal")},
    **{f"api_v1.{one}": {"patient_id": "child"} for one in ("hand_over",)},
    "admin.end_practice": {"key": "idle_practice"}, "api_v1.end_practice": {"practice_id": "idle_practice"},
    "admin.start_practice": {"slug": "unsettled"}, "api_v1.start_practice": {"doctor_id": "unsettled_doctor"},
    "api_v1.end_session": {"session_id": "family"}, "doctor.withdraw_invitation": {"key": "invitation"},
    "desk.hand_record_over": {"key": "unowned"}, "api_v1.change_patient": {"patient_id": "unowned"},
    "desk.change_patient": {"key": "unowned"}, "desk.edit_patient": {"key": "unowned"},
}  # fmt: skip


def arguments(world: World, rule: Any) -> dict[str, Any]:
    """The values of a route's address, about things of the world."""
    return {name: _value(world, rule, name) for name in rule._converters}


def _value(world: World, rule: Any, name: str) -> Any:
    if about := ABOUT.get(rule.endpoint, {}).get(name):
        return world[about]
    if name in {"step", "verdict"}:
        return {"step": "check-in", "verdict": "confirm"}[name]
    if name in {"slug", "token", "ticket", "filename", "number"}:
        return _word(world, rule, name)
    before = rule.rule.split(f":{name}>")[0].rsplit("/", 2)[-2]
    what = NAMED.get(name) or BEFORE.get(before, before)
    if what not in world.ids and what != "visit":
        return NOWHERE  # of their own: made with the request
    return world[VISIT_IS.get(rule.endpoint.split(".")[1], what) if what == "visit" else what]


def _word(world: World, rule: Any, name: str) -> Any:
    if name == "slug":
        return world["doctor_slug" if "/doctors/" in rule.rule else "slug"]
    known = {"number": 0, "filename": "css/portal.css", "ticket": world["ticket"]}
    return known.get(name, "unknown")  # a link of one's own is made with the request (tests/rules/asking_own.py)


# --- what is said ---


def spoken(world: World, example: Any) -> Any:
    """The example of the description, about the world's things and in its days."""
    if not isinstance(example, dict):
        return example
    meant = {
        "practice_id": "practice", "visit_type_id": "kind", "patient_id": "patient", "clinic_id": "clinic",
        "doctor_id": "doctor", "proposal_id": "draft_proposal", "other_id": "twice",
    }  # fmt: skip
    said: dict[str, Any] = {}
    for name, value in example.items():
        if name in meant:
            said[name] = str(world[meant[name]])
        elif name in {"starts_at", "since"}:
            said[name] = at("15:30", 8).isoformat()
        elif name in {"first", "last", "day", "until"} and str(value).count("-") == 2:
            said[name] = str(world.later(45))
        elif isinstance(value, list):
            said[name] = [spoken(world, one) for one in value]
        else:
            said[name] = spoken(world, value)
    return said


def typed(world: World) -> dict[str, str]:
    """What is typed into a field of each name, whatever the form."""
    day = str(world.later(45))
    return {
        "given_name": "Meriem", "family_name": "Saadi", "name": "Salle", "email": "someone@example.dz",
        "password": "four words you like", "current_password": PASSWORD, "birth_date": "1990-05-17", "sex": "female",
        "phone": "0550 12 34 56", "address": "12 rue Didouche Mourad", "city": "Algiers", "postcode": "16000",
        "locale": "fr", "language": "fr", "theme": "dark", "substance": "Penicillin", "severity": "severe",
        "time_zone": "Africa/Algiers", "currency": "DZD", "country": "DZ", "late_minutes": "10",
        "no_show_minutes": "30", "offer_minutes": "30", "day": day, "first": day, "last": day, "starts": "08:00",
        "ends": "10:00", "weekday": "5", "repeats": "weekly", "capacity": "1", "duration": "20", "mode": "in_person",
        "bookable_by": "anyone", "confirms": "at_once", "lead_minutes": "120", "horizon_days": "60",
        "cutoff_minutes": "1440", "most_moves": "3", "most_upcoming": "3", "price": "2500", "places": "1",
        "buffer_before": "0", "buffer_after": "0", "amount": "2", "unit": "hours", "by": "email", "title": "Dr",
        "gender": "female", "licence_number": "DZ-16-4711", "specialties": "cardiology", "languages": "fr",
        "practising_since": "2010", "clinic_id": str(world["clinic"]), "clinic": str(world["clinic"]),
        "practice_id": str(world["practice"]), "visit_type_id": str(world["kind"]),
        "patient_id": str(world["patient"]), "starts_at": at("15:30", 8).isoformat(), "role": "staff",
        "relation": "child", "reason": "It names another patient.", "answer": "Thank you.", "text": "", "rating": "5",
        "url": "https://example.com/hook", "since": "2026-01-01", "kind": "room", "code": "other", "outcome": "reached",
        "whose": "patient", "keep_visits": "on", "scopes": "view",
    }  # fmt: skip
