"""What some routes need beside what is typed everywhere: another answer, a question in the address, something begun.

Each function is told the world and who asks (None: a stranger), may make what the request is about, and returns what is
said. A name that begins with `@` is a part of the address, with `?` of the question behind it, with `#` a header, with
`&` what the browser's cookie carries.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import current_app

from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.domain.access import factor_help
from portal.domain.clinics import invitations, members, programs
from portal.domain.clinics.models import Clinic
from portal.domain.day import arriving
from portal.domain.identity import challenges, factors, letters, links, mail_challenges, sessions, tokens
from portal.domain.identity.factor_models import SecondFactor
from portal.domain.identity.models import User
from portal.domain.notifications.words import answer_link
from portal.domain.patients import inviting
from portal.domain.patients.family_letters import PURPOSE
from portal.domain.scheduling import feeds
from portal.domain.scheduling.models import Appointment
from portal.web.account.arriving import BY_MAIL, HALF_IN
from tests.apps import Phone
from tests.builders import PASSWORD, at, make_user
from tests.people import Person
from tests.rules.world import World

Said = dict[str, Any]
OWN: dict[str, Callable[[World, Any], Said]] = {}
THEIRS: set[str] = set()  # routes that are asked about a thing of whoever asks, made with the request
BACK = "https://planner.example/back"


def own(
    *endpoints: str, theirs: bool = False
) -> Callable[[Callable[[World, Any], Said]], Callable[[World, Any], Said]]:
    THEIRS.update(endpoints if theirs else ())

    def mark(function: Callable[[World, Any], Said]) -> Callable[[World, Any], Said]:
        OWN.update(dict.fromkeys(endpoints, function))
        return function

    return mark


def said(**plain: Any) -> Callable[[World, Any], Said]:
    """The same words whoever asks."""
    return lambda world, who: dict(plain)


def queried(*names: str, **more: Any) -> Callable[[World, Any], Said]:
    """Ids of the world in the question behind the address."""
    return lambda world, who: (
        {f"?{name}": world[of] for name, of in _pairs(names)} | {f"?{name}": value for name, value in more.items()}
    )


def _pairs(names: tuple[str, ...]) -> list[tuple[str, str]]:
    return [tuple((one.split("=") * 2)[:2]) for one in names]  # type: ignore[misc]


OWN |= {
    "account.change_details": said(sex="female"),
    "account.sign_in": lambda world, who: {"email": world.patient.email, "password": PASSWORD},
    "api_v1.login": lambda world, who: {"email": world.patient.email, "password": PASSWORD},
    "account.sudo": said(password=PASSWORD),
    "api_v1.change_password": said(current_password=PASSWORD, password="four other words"),
    "admin.add_opening": said(weekday="4"),
    "desk.add_opening": said(weekday="4"),
    "doctor.add_opening": said(weekday="4"),
    "api_v1.add_opening": said(weekday=4),
    "api_v1.change_opening": said(weekday=5),
    **{f"{door}.copy_day": said(weekday="0", to="4") for door in ("admin", "desk", "doctor")},
    **{
        f"{door}.copy_week": lambda world, who: {
            "week": str(world.later(7)), "first": str(world.later(60)), "last": "", "to_practice_id": "",
            "replace": "on",
        }
        for door in ("admin", "desk", "doctor")
    },
    **{f"{door}.stretch_opening": said(day="", starts="08:00", ends="11:00") for door in ("admin", "desk", "doctor")},
    **{f"{door}.break_opening": said(starts="09:00", ends="09:30") for door in ("admin", "desk", "doctor")},
    "admin.export_audit": said(name="", first="", last=""),
    "admin.take_holidays": said(year="2027", days="2027-05-01"),
    "api_v1.take_public_holidays": said(year=2027, days=["2027-05-01"]),
    "api_v1.add_dependant": said(given_name="Ines"),
    "api_v1.invite": lambda world, who: {"patient_id": str(world["others"][5])},
    "api_v1.list_slots": queried("practice_id=practice", "visit_type_id=kind"),
    "desk.visit_step": lambda world, who: {"clinic": world["slug"]},
    "admin.close_clinic": said(kind="leave", starts="", ends=""),
    "doctor.add_time_off": said(kind="leave", place="", starts="", ends=""),
    "admin.create_client": said(kind="service", scopes="appointments:read", name="Desk robot", redirect_uris=""),
    "admin.change_client": said(scopes="appointments:read", name="Lab", redirect_uris=""),
    "admin.add_visit_type": said(name="Check-up"),
    "api_v1.deactivate_clinic": queried(keep_visits="true"),
    "api_v1.withdraw_licence": queried(keep_visits="true"),
    "api_v1.change_visit_type": queried(keep_visits="true"),
    "api_v1.add_visit_type": said(name="Check-up"),
    "api_v1.create_doctor": said(email="dr.new@example.dz"),
    "api_v1.invite_member": said(email="new.member@example.dz"),
    "patient.change_dependant": said(birth_date="2021-05-17"),
    "api_v1.invite_user": said(email="new.user@example.dz"),
    "api_v1.change_user": said(roles=[]),
    "api_v1.ask_to_hand_over": said(email="meriem@example.dz"),
    "desk.hand_record_over": said(email="meriem@example.dz"),
    "desk.change_patient": said(email="meriem@example.dz", birth_date="1990-05-17"),
    "api_v1.change_patient": said(email="meriem@example.dz", birth_date="1990-05-17"),
    "account.end_all_acting": said(current_password=PASSWORD, password=PASSWORD),
    "api_v1.end_all_acting": said(current_password=PASSWORD),
    "api_v1.list_any_slots": queried("visit_type_id=kind", specialty="cardiology"),
    "public.any_times": queried(specialty="cardiology"),
    "public.hold_any": queried(specialty="cardiology"),
    "api_v1.list_many_slots": queried("practice_ids=practice"),
    "api_v1.list_collisions": lambda world, who: {
        "?visit_type_id": world["kind"], "?starts_at": at("09:30", 0).isoformat(),
    },
    "GET api_v1.search_patients": queried(q="Meriem"),
    "POST api_v1.search_patients": said(q="Meriem"),
    "api_v1.plan_change": lambda world, who: {"of": str(world["doctor"])},
    "api_v1.call_next": lambda world, who: {"expected": world["front"]},
    "desk.call_next": lambda world, who: {
        "doctor_id": str(world["doctor"]), "expected": world["front"], "clinic": world["slug"],
    },
    "doctor.call_next": lambda world, who: {"doctor_id": str(world["doctor"]), "expected": world["front"]},
    "api_v1.add_walk_in": lambda world, who: {"patient_id": str(world["others"][5])},
    "desk.add_walk_in": lambda world, who: {"patient_id": str(world["others"][5]), "clinic": world["slug"]},
    "desk.enter_walk_in": lambda world, who: {"clinic": world["slug"], "given_name": "Zohra"},
    "api_v1.get_hold": lambda world, who: {"#Hold-Token": world["hold"]},
    "api_v1.extend_hold": lambda world, who: {"#Hold-Token": world["hold"]},
    "api_v1.release_hold": lambda world, who: {"#Hold-Token": world["hold"]},
    "patient.add_dependant": said(given_name="Ines", birth_date="2020-01-01", relation="child"),
    "patient.answer_offer": said(answer="yes"),
    "desk.answer_for": said(answer="yes"),
    "patient.answer_change": lambda world, who: {"do": "accept", "visit": world["asked_proposal"], "starts_at": ""},
    "patient.waitlist_join": queried("practice=idle_practice", "type=kind"),
    "patient.join_waitlist": lambda world, who: {
        "?practice": world["idle_practice"], "?type": world["kind"], "last": str(world.later(20)), "first": "",
    },
    "desk.add_waiting": lambda world, who: {
        "?patient": world["others"][5], "?practice": world["practice"], "?type": world["kind"], "first": "",
        "last": str(world.later(20)), "patient_id": str(world["others"][5]), "urgency": "routine",
    },
    "api_v1.join_waitlist": lambda world, who: {"practice_id": str(world["idle_practice"]), "windows": []},
    "changes.propose": lambda world, who: {"day": str(world.later(8)), "wall": "15:30"},
}  # fmt: skip


@own("api_v1.plan_series", "desk.series", "doctor.series")
def _asked(world: World, who: Any) -> Said:
    about = {"practice_id": "practice", "visit_type_id": "kind", "patient_id": "patient"}
    every = {"every": "1", "unit": "weeks", "count": "2", "starts_at": at("14:30", 8).isoformat()}
    return {f"?{name}": value for name, value in ({one: world[of] for one, of in about.items()} | every).items()}


@own("api_v1.book_series", "desk.book_series", "doctor.book_series")
def _series(world: World, who: Any) -> Said:
    times = [at("14:30", 8).isoformat(), at("14:30", 9).isoformat()]
    return {"patient_id": str(world["others"][5]), "every_days": 1, "times": times}


# --- links of one's own ---


def _user(who: Any) -> User:
    return session().get_one(User, who.user_id) if who else make_user()


@own("account.reset", "api_v1.reset_password")
def _reset(world: World, who: Any) -> Said:
    token = links.make("reset", make_user())
    return {"@token": token, "token": token, "password": "four other words"}


@own("account.invitation", "account.decline_by_link")
def _invited(world: World, who: Any) -> Said:
    about = {"given_name": "Rachid", "family_name": "Amara", "role": "staff"}
    asked = members.invite(world.admin.actor, world["clinic"], email="to.work@example.dz", **about)
    return {"@token": invitations.token_for(asked), "password": "four other words"}


@own("account.accept_invitation", "account.decline_invitation", "api_v1.accept_clinic_invitation",
     "api_v1.decline_clinic_invitation", "api_v1.get_clinic_invitation", theirs=True)  # fmt: skip
def _asked_to_work(world: World, who: Any) -> Said:
    if who is None:
        return {}
    about = {"given_name": "Rachid", "family_name": "Amara", "role": "pharmacist" if who is world.desk else "staff"}
    key = members.invite(world.admin.actor, world["clinic"], email=who.email, **about).id
    return {"@key": key, "@invitation_id": key}


@own("account.factor_help")
def _lost(world: World, who: Any) -> Said:
    _factor(world, None)
    facts = {
        "factor": str(factors.key_of(world["user"])), "user": str(world["user"]), "by": str(world.admin.user_id),
        "until": (clock.now() + timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    return {"@token": secrets.sign(factor_help.PURPOSE, facts)}


@own("account.verify", "api_v1.verify_email")
def _verify(world: World, who: Any) -> Said:
    token = links.make("verify", make_user(verified=False))
    return {"@token": token, "token": token}


@own("family.invitation", "family.accept_invitation", "api_v1.look_at_care_invitation")
def _cared(world: World, who: Any) -> Said:
    """Somebody else asks whoever comes to act for them."""
    from tests.domain.patients.test_inviting_carers import newcomer

    if who is None:
        return {"@token": "unknown", "token": "unknown"}
    made = inviting.grant(newcomer("asks@example.dz").actor, email=who.email, scopes=["view", "book"])
    token = secrets.sign(PURPOSE, inviting._facts(made, who.email))
    return {"@token": token, "token": token}


@own("api_v1.accept_care_invitation")
def _accepted(world: World, who: Any) -> Said:
    return _cared(world, who) | {"birth_date": "1990-05-17"}


@own("public.go", "public.go_act", "public.go_who")
def _link(world: World, who: Any) -> Said:
    path = answer_link(session().get_one(Appointment, world["visit"]))
    return {"@token": path.rsplit("/", 1)[1], "answer": "yes", "birth_date": "1990-05-17"}


@own("public.calendar_feed")
def _feed(world: World, who: Any) -> Said:
    return {"@token": feeds.make(world.patient.actor, "patient")}


@own("account.end_calendar", "api_v1.end_calendar")
def _calendar(world: World, who: Any) -> Said:
    return {"@key": world["calendar"]}


@own("public.arrive", "public.arrived")
def _arrived(world: World, who: Any) -> Said:
    visit = session().get_one(Appointment, world["visit"])
    sign = arriving.sign_of(session().get_one(Clinic, world["clinic"]))
    return {"?sign": sign, "reference": visit.reference, "birth_date": "1990-05-17"}


# --- signing in and the second factor ---


@own("account.confirm_factor")
def _confirm(world: World, who: Any) -> Said:
    if who is None:
        return {}
    factors.begin(who.actor)
    return {"code": Phone(who).code()}


@own("account.remove_factor", "account.renew_codes", "admin.remove_factor")
def _factor(world: World, who: Any) -> Said:
    """Without signing anybody out, as setting it up does."""
    for user_id in {world["user"], who.user_id if who else world["user"]}:
        session().add(SecondFactor(user_id=user_id, secret=b"0" * 40, confirmed_at=clock.now()))
    return {}


@own("api_v1.login_with_code", "account.second_step_of_sign_in")
def _half(world: World, who: Any) -> Said:
    """The password was shown; the code is what the app shows."""
    user = make_user()
    phone = Phone(Person(user.name, str(user.email), user.id)).set_up()
    challenge = {door: secrets.sign(challenges._purpose(door), _shown(user)) for door in ("web", "api")}
    return {"challenge": challenge["api"], f"&{HALF_IN}": challenge["web"], "code": phone.fresh()}


def _shown(user: User) -> Said:
    return {"user": str(user.id), "since": challenges.since(user), "facts": {"label": None, "scopes": None}}


@own("api_v1.login_with_mail_code", "account.mail_step_of_sign_in")
def _mailed(world: World, who: Any) -> Said:
    """The password was shown; the code is in a letter."""
    user, challenge = make_user(), {}
    for door, facts in (("api", {"label": None, "scopes": None}), ("web", {})):
        try:
            mail_challenges.ask(Actor(door=door, address="127.0.0.1"), user, door, **facts)
        except mail_challenges.MailCodeRequired as needed:
            challenge[door] = needed.challenge
        key = mail_challenges.read(door, challenge[door]).key
        links.make("sign_in", user, token=letters.code_token(key, "12345678"))
    return {"challenge": challenge["api"], f"&{BY_MAIL}": challenge["web"], "code": "12345678"}


@own("api_v1.refresh")
def _spent(world: World, who: Any) -> Said:
    grant = tokens.sign_in(Actor(door="api", address="127.0.0.1"), world.patient.email, PASSWORD)
    return {"refresh_token": grant.refresh_token}


@own("account.end_acting", theirs=True)
def _session(world: World, who: Any) -> Said:
    if who is None:
        return {}
    made, _token = sessions.start(Actor(door="web", address="127.0.0.1"), _user(who), "another browser")
    return {"@key": made.id}


@own("api_v1.end_acting", theirs=True)
def _family(world: World, who: Any) -> Said:
    return {"@thing_id": tokens.open_family(who.actor, who.user_id, "Another", None).id} if who else {}


# --- programs ---


@own("consent.authorize", "consent.decide")
def _wish(world: World, who: Any) -> Said:
    about = {"kind": "app", "name": "Planner", "scopes": ["profile:read"], "redirect_uris": [BACK]}
    client, _none = programs.add(world.superadmin.actor, **about)
    wish = {
        "response_type": "code", "client_id": client.client_id, "redirect_uri": BACK, "scope": "profile:read",
        "state": "x", "code_challenge": create_s256_code_challenge("v" * 50), "code_challenge_method": "S256",
    }  # fmt: skip
    return {f"?{name}": value for name, value in wish.items()} | {"decision": "allow"}


@own("oauth.token", "oauth.introspect", "oauth.revoke")
def _machine(world: World, who: Any) -> Said:
    pair = base64.b64encode(f"{world['program_id']}:{world['program_secret']}".encode()).decode()
    return {"#Authorization": f"Basic {pair}", "grant_type": "client_credentials", "token": "unknown", "scope": ""}


@own("dev.letter", "dev.letter_html", "dev.attachment")
def _letter(world: World, who: Any) -> Said:
    box, about = current_app.extensions["portal.mail"], f"Hello {world.superadmin.user_id}"

    def ours() -> list[str]:  # whatever letters other tests have left
        return [key for key, kept in box.read(10_000) if kept["Subject"] == about]

    if not ours():
        letter = EmailMessage()
        letter["To"], letter["Subject"], letter["Date"] = "amina@example.dz", about, format_datetime(clock.now())
        letter["Message-ID"] = f"<{world.superadmin.user_id}@example.dz>"
        letter.set_content("Hello")
        letter.add_alternative("<p>Hello</p>", subtype="html")
        letter.add_attachment(b"BEGIN:VCALENDAR", maintype="text", subtype="calendar", filename="visit.ics")
        box.send(letter)
    return {"@key": ours()[0]}
