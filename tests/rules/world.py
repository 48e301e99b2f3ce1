"""One of everything at one clinic, for asking every route about something that is there.

`World` is made through the API by the people who may, so it stands in no state that cannot come about. Afterwards it is
five past nine on `world.day`: one visit is to come at half past nine, one waits, one is under way, one is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from portal.core import clock
from portal.core.clock import standing_at
from portal.core.db import keep, session
from portal.core.tasks import Task
from portal.domain.clinics import members, programs
from portal.domain.clinics.models import Clinic
from portal.domain.day import arriving
from portal.domain.doctors.models import Amendment
from portal.domain.identity.models import TokenFamily
from portal.domain.notifications.models import Notification
from portal.domain.patients.models import Patient
from portal.domain.reminders.models import ReminderStep
from portal.domain.scheduling import calls, first_free
from portal.domain.scheduling.models import Appointment, Closure, VisitType
from portal.domain.webhooks.models import WebhookMessage
from tests.api.conftest import Program
from tests.builders import (
    at,
    make_doctor,
    make_member,
    make_patient,
    make_practice,
    make_user,
    make_week,
    register_at,
    working_day,
)

AHEAD = 3
SCOPES = ["profile:read", "appointments:read"]


@dataclass
class World:
    """Who is there, and the id of each thing by its name: `world["visit"]`."""

    place: Any
    doctor: Any
    patient: Any
    desk: Any
    admin: Any
    superadmin: Any
    client: Any
    ids: dict[str, Any] = field(default_factory=dict)
    now: datetime = field(default_factory=clock.now)

    def __getitem__(self, name: str) -> Any:
        return self.ids[name]

    def build(self) -> World:
        """Make everything; leaves the clock alone, but what ends soon was made at `now`."""
        self.now = at("09:05", AHEAD)
        self._ground()
        self._visits(**self._programs())
        with standing_at(self.now):
            people = self._programs()
            for part in (self._care, self._clinic, self._waiting, self._requests, self._plans, self._outside):
                part(**people)
            self._day(**people)
        keep()
        return self

    # --- parts ---

    def _programs(self) -> dict[str, Program]:
        api = Program(self.client)
        names = ("doctor", "patient", "desk", "admin", "superadmin")
        return {name: api.as_(getattr(self, name)) for name in names}

    def _ground(self) -> None:
        """People and rows that no route makes in one step."""
        here = session()
        clinic = here.get_one(Clinic, self.place.clinic_id)
        clinic.has_board = True
        for kind in here.query(VisitType).filter_by(clinic_id=clinic.id):
            kind.lead_minutes = kind.cutoff_minutes = 0
            kind.most_upcoming, kind.most_moves = 50, 50
        register_at(here.get_one(Patient, self.patient.patient_id), clinic)
        names = ("Meriem", "Salim", "Rym", "Nour", "Hind", "Wafa")
        others = [make_patient(given_name=name, phone=None) for name in names]
        for other in others:
            register_at(other, clinic)
        others[0].email = "meriem@example.dz"
        twin, twice, thrice = (make_patient(given_name=name, phone=None) for name in ("Hanane", "Hanan", "Hanna"))
        dead = make_patient(given_name="Habib", phone=None)
        for one in (twin, twice, thrice, dead):
            register_at(one, clinic)
        kinds = here.query(VisitType).filter_by(clinic_id=clinic.id).all()
        colleague_doctor = make_doctor(given_name="Nabil", family_name="Aouni")
        second = make_practice(colleague_doctor, clinic)
        make_week(second, kinds)
        unsettled = make_doctor(given_name="Lotfi", family_name="Hamdani")
        colleague = make_user("Karima", "Saidi")
        member = make_member(colleague, clinic, "staff")
        here.flush()
        first_free.refresh([self.doctor.practice_id, second.id])
        self.ids |= {
            "clinic": clinic.id, "slug": clinic.slug, "doctor": self.doctor.doctor_id, "doctor_slug": self.doctor.slug,
            "practice": self.doctor.practice_id, "kind": self.place.consultation_id, "video": self.place.follow_up_id,
            "patient": self.patient.patient_id, "others": [one.id for one in others], "user": colleague.id,
            "colleague": str(colleague.email),
            "membership": member.id, "idle_practice": second.id, "unsettled": unsettled.slug,
            "unsettled_doctor": unsettled.id, "second": second.doctor_id, "second_slug": colleague_doctor.slug,
            "unowned": others[0].id, "twin": twin.id, "twice": twice.id, "thrice": thrice.id, "dead": dead.id,
        }  # fmt: skip
        keep()

    def _care(self, patient: Program, **_: Program) -> None:
        child = {"given_name": "Adam", "family_name": "Boudiaf", "birth_date": "2019-05-04"}
        care = made(patient.post("/family/dependants", child))
        child = session().get_one(Patient, UUID(care["patient"]["id"]))
        child.email = "karim@example.dz"
        register_at(child, session().get_one(Clinic, self["clinic"]))
        asked = made(patient.post(f"/patients/{self['patient']}/carer-invitations", {"email": "aunt@example.dz"}))
        allergy = made(patient.post(f"/patients/{self['patient']}/allergies", {"substance": "Latex"}))
        calendar = made(patient.post("/calendars", {"whose": "patient"}))
        self.ids |= {
            "care": care["id"], "child": care["patient"]["id"], "care_invitation": asked["id"],
            "allergy": allergy.get("id") or allergy["allergies"][0]["id"], "calendar": calendar["id"],
        }  # fmt: skip

    def _visits(self, desk: Program, patient: Program, **_: Program) -> None:
        meriem, salim, rym, nour, hind, _wafa = self["others"]
        booked = {
            "over": ("08:00", meriem), "reviewed": ("08:30", None), "late": ("09:00", nour), "visit": ("09:30", None),
            "waiting": ("10:00", salim), "front": ("10:30", rym), "under_way": ("11:00", hind),
        }  # fmt: skip
        for name, (wall, who) in booked.items():
            self.ids[name] = made(desk.post("/appointments", self.wish(wall, AHEAD, who)))["id"]
        pending = self.wish("13:00", AHEAD, None) | {"visit_type_id": str(self["video"])}
        self.ids["pending"] = made(patient.post("/appointments", pending))["id"]

    def _clinic(self, admin: Program, desk: Program, doctor: Program, **_: Program) -> None:
        clinic, practice = self["clinic"], self["practice"]
        group = made(admin.post(f"/clinics/{clinic}/rooms", {"kind": "room", "name": "Treatment"}))
        room = made(admin.post(f"/room-groups/{group['id']}/resources", {"name": "Room 9", "places": 1}))
        for name in ("resource", "closed_resource"):
            made(admin.post(f"/room-groups/{group['id']}/resources", {"name": name, "places": 1}))
        found = {one["name"]: one["id"] for one in made(admin.get(f"/room-groups/{group['id']}"))["resources"]}
        made(admin.post(f"/resources/{found['closed_resource']}/close", {"keep_visits": True}))
        holiday = made(admin.post(f"/clinics/{clinic}/holidays", {"day": str(self.later(40)), "name": "Eid"}))
        closed = {
            "first": str(self.later(41)),
            "last": str(self.later(41)),
        }
        made(admin.post(f"/clinics/{clinic}/closures", closed))
        made(doctor.post(f"/practices/{practice}/closures", closed))
        opening = {"weekday": 5, "starts": "08:00", "ends": "12:00", "step": 30}
        self.ids |= {
            "group": group["id"], "room": room["id"], "resource": found["resource"],
            "closed_resource": found["closed_resource"], "holiday": holiday["id"],
            "opening": made(doctor.post(f"/practices/{practice}/openings", opening))["id"],
            "closure": session().query(Closure).filter_by(practice_id=practice).one().id,
            "clinic_closure": session().query(Closure).filter_by(clinic_id=clinic).one().id,
        }  # fmt: skip
        step = ReminderStep(clinic_id=clinic, minutes_before=60, channels=["email"], asks=False)
        session().add(step)
        session().flush()
        self.ids["reminder"] = step.id

    def _waiting(self, desk: Program, patient: Program, doctor: Program, **_: Program) -> None:
        wish = {"practice_id": str(self["practice"]), "visit_type_id": str(self["kind"])}
        entry = made(patient.post("/waitlist", wish))
        other = made(desk.post("/waitlist", wish | {"patient_id": str(self["others"][0])}))
        about = {"practice_id": str(self["practice"]), "starts_at": at("15:00", 0).isoformat()}
        offer = made(desk.post(f"/waitlist/{entry['id']}/offers", about))
        self.ids |= {"entry": entry["id"], "entry_free": other["id"], "offer": offer["id"]}
        plan = {**wish, "patient_id": str(self["patient"]), "starts_at": at("11:30", 9).isoformat()}
        told = made(desk.get("/series/plan", query_string=plan | {"every": "1", "unit": "weeks", "count": "2"}))
        times = {"every_days": told["every_days"], "times": [one["chosen"] for one in told["dates"]]}
        series = made(desk.post("/series", {**wish, "patient_id": str(self["patient"]), **times}))
        self.ids["of_series"] = series["items"][0]["id"]

    def _requests(self, desk: Program, admin: Program, **_: Program) -> None:
        """What the clinic asks the patient: one to answer, one on paper, and one that was done on paper; two records
        that its desk has joined."""
        joined = made(desk.post(f"/patients/{self['twin']}/merges", {"other_id": str(self["thrice"])}))
        self.ids["merge"] = joined["merge"]["id"]
        made(desk.send("PUT", f"/patients/{self['dead']}/death", {}))
        for name, whose in (("done_request", "patient"), ("paper_request", "unowned"), ("request", "patient")):
            body = {"email": f"{name.replace('_', '.')}@example.dz", "on_paper": name != "request"}
            asked = desk.post(f"/patients/{self[whose]}/carer-requests", body | {"clinic_id": str(self["clinic"])})
            self.ids[name] = made(asked)["request"]["id"]
            if name == "done_request":
                made(admin.post(f"/record-requests/{self[name]}/confirm"))

    def _plans(self, desk: Program, doctor: Program, **_: Program) -> None:
        """A change that was applied and whose patient is asked, and one that is a draft."""
        for name, ahead, who in (("asked", 15, None), ("draft", 22, self["others"][1])):
            made(desk.post("/appointments", self.wish("09:00", ahead, who)))
            day = str(working_day(ahead))
            wanted = {"kind": "close_doctor", "of": str(self["doctor"]), "closure": {"first": day, "last": day}}
            plan = made(doctor.post("/changes", wanted))
            self.ids |= {f"{name}_change": plan["id"], f"{name}_proposal": plan["proposals"][0]["id"]}
            if name == "asked":
                made(doctor.post(f"/changes/{plan['id']}/apply", {}))

    def _outside(self, admin: Program, patient: Program, doctor: Program, **_: Program) -> None:
        """What programs have to do with, and what stands in lists of the portal's own."""
        url = "http://127.0.0.1:9/hook"
        hook = made(admin.post("/webhooks", {"url": url, "clinic_id": str(self["clinic"])}))
        message = made(admin.post(f"/webhooks/{hook['id']}/test"))
        resting = made(admin.post("/webhooks", {"url": url, "clinic_id": str(self["clinic"])}))
        made(admin.post(f"/webhooks/{resting['id']}/pause"))
        session().query(WebhookMessage).update({"state": "failed"})
        program, _secret = programs.add(
            self.admin.actor, kind="service", name="Lab", scopes=SCOPES, clinic_id=self["clinic"]
        )
        self.ids["hold"] = made(patient.post("/holds", self.when("14:00")))["token"]
        invite = {"practice_id": self["practice"], "visit_type_id": self["kind"], "patient_id": self["patient"]}
        invite = {name: str(one) for name, one in invite.items()}
        invite |= {"first": str(self.later(1)), "last": str(self.later(20))}
        self.ids["invitation"] = made(doctor.post("/invitations", invite))["id"]
        failed = Task(name="upkeep.seal_events", state="failed", attempts=6)
        session().add(failed)
        calls.ask(clinic_id=self["clinic"], patient_id=self["patient"], code="reminder_failed", key=f"k{self['slug']}",
                  appointment_id=UUID(self["visit"]))  # fmt: skip
        keep()
        (call,) = calls.waiting(self.desk.actor)
        calls.ask(clinic_id=self["clinic"], patient_id=self["others"][1], code="reminder_failed",
                  key=f"c{self['slug']}", appointment_id=UUID(self["waiting"]))  # fmt: skip
        keep()
        (other,) = [one for one in calls.waiting(self.desk.actor) if one.id != call.id]
        calls.close(self.desk.actor, other.id, outcome="reached", note="")
        about = {"given_name": "Rachid", "family_name": "Amara", "role": "staff"}
        asked = members.invite(self.admin.actor, self["clinic"], email="asked@example.dz", **about)
        change = made(doctor.send("PUT", "/doctors/me", {
            "title": "Dr", "given_name": "Samira", "family_name": "Cherif", "licence_number": "DZ-16-9999",
            "specialties": ["cardiology"],
        }))  # fmt: skip
        assert change
        amendment = session().query(Amendment).filter_by(doctor_id=self["doctor"]).one()
        told = Notification(
            user_id=self.patient.user_id, kind="appointment.confirmed", key=str(self["visit"]),
            subject_type="appointment", subject_id=UUID(self["visit"]), facts={},
        )  # fmt: skip
        session().add(told)
        session().flush()
        self.ids |= {
            "webhook": hook["id"], "message": message["id"], "paused_webhook": resting["id"], "program": program.id,
            "task": failed.id, "call": call.id, "closed_call": other.id, "notification": told.id,
            "clinic_invitation": asked.id, "amendment": amendment.id,
            "program_secret": _secret, "program_id": program.client_id,
        }  # fmt: skip
        keep()

    def _day(self, desk: Program, doctor: Program, patient: Program, **_: Program) -> None:
        for name in ("over", "reviewed", "waiting", "front", "under_way"):
            made(desk.post(f"/appointments/{self[name]}/check-in"))
        made(desk.post(f"/appointments/{self['front']}/to-front", {"code": "cannot_wait"}))
        for name in ("reviewed", "over", "under_way"):
            made(doctor.post(f"/appointments/{self[name]}/start"))
            if name != "under_way":
                made(doctor.post(f"/appointments/{self[name]}/complete"))
        self.ids["review"] = made(patient.send("PUT", f"/appointments/{self['reviewed']}/review", {"rating": 4}))["id"]
        family = session().query(TokenFamily).filter_by(user_id=self.patient.user_id).first()
        self.ids["family"] = family.id if family else None
        late = session().get_one(Appointment, UUID(self["waiting"]))
        self.ids["ticket"] = arriving.ticket(late)

    # --- what they wish ---

    def wish(self, wall: str = "09:00", ahead: int = AHEAD, who: Any = None) -> dict[str, str]:
        """The body that books a consultation; for the patient unless said otherwise."""
        told = {"practice_id": self["practice"], "visit_type_id": self["kind"], "patient_id": who or self["patient"]}
        return {name: str(one) for name, one in told.items()} | {"starts_at": at(wall, ahead).isoformat()}

    def when(self, wall: str) -> dict[str, str]:
        """The body that holds a consultation."""
        return {name: one for name, one in self.wish(wall, 0).items() if name != "patient_id"}

    def later(self, ahead: int) -> Any:
        return working_day(ahead)


def made(answer: Any) -> dict[str, Any]:
    """What was answered, when it was not refused."""
    assert answer.status_code in {200, 201, 202}, f"{answer.request.path}: {answer.get_data(as_text=True)}"
    told: dict[str, Any] = answer.get_json()
    return told
