"""A clinic asks somebody to work there: nothing begins, and nothing is told, before that person's own yes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from portal.core import clock
from portal.core.actor import NOBODY, Actor
from portal.core.db import keep, session
from portal.core.errors import Conflict, Forbidden, Gone, Invalid, NotFound, Refused
from portal.domain import upkeep
from portal.domain.access import actors, factor_help, people
from portal.domain.clinics import invitations, members
from portal.domain.clinics.models import Clinic, ClinicInvitation, Membership
from portal.domain.doctors import joining, practices, profiles
from portal.domain.doctors.models import Doctor, Practice
from portal.domain.identity import accounts, sessions
from portal.domain.identity.models import User
from tests.apps import Phone
from tests.builders import actor_of, make_member, make_specialty

HERE = Actor(door="web", address="10.0.0.1")
NEW = "seven green boats"
SAID = {"given_name": "Typed", "family_name": "Name"}
RYM = {
    "given_name": "Rym", "family_name": "Aït-Ahmed", "licence_number": "DZ-77 001", "specialties": ["cardiology"],
}  # fmt: skip


def ask(admin: Any, place: Any, email: str, role: str = "staff") -> ClinicInvitation:
    return members.invite(admin.actor, place.clinic_id, email=email, role=role, **SAID)


def token_in(mailbox: Any, email: str) -> str:
    return str(mailbox.link(email, "/account/invitation/")).rpartition("/")[2]


# --- before the yes ---


def test_an_invitation_grants_nothing_anywhere(admin: Any, el_djazair: Any, amina: Any, superadmin: Any) -> None:
    before = amina.actor
    Phone(amina).set_up()
    for role in ("staff", "admin", "pharmacist"):
        ask(admin, el_djazair, amina.email, role)
    keep()
    assert (amina.actor.roles, amina.actor.clinics) == (before.roles, before.clinics)
    with pytest.raises(NotFound):
        people.get(admin.actor, amina.user_id)
    with pytest.raises(NotFound):
        factor_help.take_away(admin.actor, amina.user_id)
    assert amina.user_id not in {one.user.id for one in people.search(admin.actor)}
    assert amina.user_id not in {one.user_id for one in members.of_clinic(admin.actor, el_djazair.clinic_id)}
    assert session().scalar(select(func.count()).where(Membership.user_id == amina.user_id)) == 0


def test_the_clinic_cannot_tell_whose_address_it_asked(
    admin: Any, el_djazair: Any, wahran: Any, amina: Any, lina: Any, kamel: Any, dr_haddad: Any, yacine: Any,
    superadmin: Any,
) -> None:  # fmt: skip
    """An account, an unverified one, one at another clinic, a doctor, a deactivated one, and none: all look alike."""
    accounts.deactivate(superadmin.actor, yacine.user_id)
    asked = [one.email for one in (amina, lina, kamel, dr_haddad, yacine)] + ["nobody@example.dz"]
    told = [invitations.get(admin.actor, ask(admin, el_djazair, email).id) for email in asked]
    seen = {
        (one.name, one.role, one.state, one.outcome, one.locale, one.doctor_id, one.fee_minor, one.invited_by)
        for one in told
    }
    assert seen == {("Typed Name", "staff", "waiting", None, "en", None, None, admin.user_id)}
    assert {one.email for one in invitations.of_clinic(admin.actor, el_djazair.clinic_id)} == set(asked)
    assert accounts.by_email("nobody@example.dz") is None, "no account is made that another clinic could meet"
    for email in asked:  # again: the same "no" for each
        with pytest.raises(Conflict) as no:
            ask(admin, el_djazair, email)
        assert no.value.code == "already_invited"


def test_asking_a_doctor_by_address_tells_no_more(admin: Any, el_djazair: Any, dr_haddad: Any, amina: Any) -> None:
    make_specialty()
    for number, email in enumerate([dr_haddad.email, amina.email, "nobody@example.dz"]):
        made = practices.invite(
            admin.actor, **RYM | {"licence_number": f"DZ-9{number}"}, clinic_id=el_djazair.clinic_id, email=email
        )
        assert made.user_id is None
        (waiting,) = invitations.of_doctor(admin.actor, made.id)
        assert (waiting.state, waiting.name) == ("waiting", "Rym Aït-Ahmed")


def test_the_work_left_behind_is_the_same_for_every_address(
    admin: Any, el_djazair: Any, amina: Any, drain: Any
) -> None:
    from portal.core.tasks import Task

    def left(email: str) -> list[tuple[str, int]]:
        drain()
        before = set(session().scalars(select(Task.id)))
        ask(admin, el_djazair, email)
        keep()
        made = session().scalars(select(Task).where(Task.id.not_in(before))).all()
        return sorted((one.name, len(one.args)) for one in made)

    assert left(amina.email) == left("nobody@example.dz") != []


# --- the yes ---


def test_who_has_an_account_says_yes_signed_in(admin: Any, el_djazair: Any, amina: Any, mailbox: Any) -> None:
    asked = ask(admin, el_djazair, amina.email.upper())
    assert [one.id for one in joining.mine(amina.actor)] == [asked.id]
    assert token_in(mailbox, amina.email)
    joining.accept(amina.actor, asked.id)
    assert actor_of(amina.user_id).clinics_as("staff") == {el_djazair.clinic_id}
    assert joining.mine(amina.actor) == []
    shown = {one.user.name for one in members.of_clinic(admin.actor, el_djazair.clinic_id)}
    assert "Amina Boudiaf" in shown and "Typed Name" not in shown
    assert invitations.of_clinic(admin.actor, el_djazair.clinic_id) == []
    with pytest.raises(Gone):
        joining.accept(amina.actor, asked.id)


def test_who_has_none_opens_one_by_the_link_with_their_own_name(admin: Any, el_djazair: Any, mailbox: Any) -> None:
    asked = ask(admin, el_djazair, "nora@example.dz")
    token = token_in(mailbox, "nora@example.dz")
    with pytest.raises(Invalid):
        joining.accept_new(HERE, token, given_name="Nora", family_name="Kaci", password="12345678")
    user = joining.accept_new(HERE, token, given_name="Nora", family_name="Kaci", password=NEW)
    assert (user.name, user.is_verified) == ("Nora Kaci", True)
    _, opened = sessions.sign_in(HERE, "nora@example.dz", NEW)
    found = actors.by_session(opened, None)
    assert found and found.clinics_as("staff") == {el_djazair.clinic_id}
    assert invitations.get(admin.actor, asked.id).state == "accepted"
    with pytest.raises(Gone):
        joining.accept_new(HERE, token, given_name="Nora", family_name="Kaci", password=NEW)


def test_the_link_alone_opens_no_account_that_stands(admin: Any, el_djazair: Any, amina: Any, mailbox: Any) -> None:
    ask(admin, el_djazair, amina.email)
    with pytest.raises(Conflict) as no:
        joining.accept_new(HERE, token_in(mailbox, amina.email), **SAID, password=NEW)
    assert no.value.code == "has_account"
    assert not amina.actor.works_at(el_djazair.clinic_id)


@pytest.mark.parametrize("who", ["yacine", "kamel", "admin", "superadmin"])
def test_nobody_answers_for_somebody_else(admin: Any, el_djazair: Any, amina: Any, who: str, request: Any) -> None:
    asked, stranger = ask(admin, el_djazair, amina.email), request.getfixturevalue(who)
    assert joining.mine(stranger.actor) == []
    for verb in (joining.accept, joining.decline):
        with pytest.raises(NotFound):
            verb(stranger.actor, asked.id)


def test_an_address_that_was_not_verified_counts_for_nothing(admin: Any, el_djazair: Any, lina: Any) -> None:
    asked = ask(admin, el_djazair, lina.email)
    assert joining.mine(lina.actor) == []
    with pytest.raises(Forbidden):
        joining.accept(lina.actor, asked.id)
    assert not lina.actor.works_at(el_djazair.clinic_id)


def test_a_no_is_told_to_the_clinic_and_a_withdrawn_one_is_over(
    admin: Any, el_djazair: Any, amina: Any, mailbox: Any
) -> None:
    joining.decline(amina.actor, ask(admin, el_djazair, amina.email).id)
    assert [one.state for one in invitations.of_clinic(admin.actor, el_djazair.clinic_id)] == ["declined"]
    asked = ask(admin, el_djazair, amina.email)
    token = token_in(mailbox, amina.email)
    invitations.withdraw(admin.actor, asked.id)
    with pytest.raises(Gone):
        joining.accept(amina.actor, asked.id)
    with pytest.raises(Gone):
        joining.decline_by_link(NOBODY, token)
    again = ask(admin, el_djazair, "nora@example.dz")
    assert joining.decline_by_link(NOBODY, token_in(mailbox, "nora@example.dz")).id == again.id


def test_an_invitation_lasts_a_week_and_can_be_sent_again(
    admin: Any, el_djazair: Any, amina: Any, mailbox: Any, standing_at: Any
) -> None:
    asked = ask(admin, el_djazair, amina.email)
    first = token_in(mailbox, amina.email)
    with standing_at(clock.now() + timedelta(days=7, seconds=1)):
        assert joining.mine(amina.actor) == []
        with pytest.raises(Gone):
            invitations.by_token(first)
        with pytest.raises(Gone):
            joining.accept(amina.actor, asked.id)
        assert invitations.get(admin.actor, asked.id).state == "expired"
        invitations.send_again(admin.actor, asked.id)
        assert len(mailbox.to(amina.email)) == 2
        assert invitations.by_token(first).id == asked.id, "the earlier letter leads there, too"
        joining.accept(amina.actor, asked.id)
        with pytest.raises(Gone):
            invitations.send_again(admin.actor, asked.id)


def test_one_that_lapsed_makes_room_for_another_and_is_forgotten(
    admin: Any, el_djazair: Any, amina: Any, standing_at: Any
) -> None:
    first = ask(admin, el_djazair, amina.email)
    with standing_at(clock.now() + timedelta(days=8)):
        assert ask(admin, el_djazair, amina.email).id != first.id
    with standing_at(clock.now() + timedelta(days=60)):
        upkeep.forget_old_sessions()
        assert session().scalar(select(func.count()).select_from(ClinicInvitation)) == 0


def test_the_letter_goes_to_whoever_reads_the_address_and_greets_nobody(
    admin: Any, el_djazair: Any, amina: Any, yacine: Any, superadmin: Any, mailbox: Any
) -> None:
    accounts.deactivate(superadmin.actor, yacine.user_id)
    for email in (amina.email, "nobody@example.dz", yacine.email):
        ask(admin, el_djazair, email)
    known, unknown = mailbox.text(amina.email), mailbox.text("nobody@example.dz")
    assert "Amina" not in known and "Typed" not in known + unknown
    link = "/account/invitation/"
    assert known.partition(link)[0] == unknown.partition(link)[0]
    assert mailbox.to(yacine.email) == []


# --- doctors ---


@pytest.fixture
def rym(admin: Any, el_djazair: Any) -> Doctor:
    """A doctor of El Djazair whose address was asked to take the profile."""
    make_specialty()
    return practices.invite(admin.actor, **RYM, clinic_id=el_djazair.clinic_id, email="rym@example.dz")


def test_a_doctors_profile_becomes_theirs_with_the_yes(rym: Doctor, mailbox: Any, el_djazair: Any) -> None:
    user = joining.accept_new(
        HERE, token_in(mailbox, "rym@example.dz"), given_name="Rym", family_name="A", password=NEW
    )
    found = actor_of(user.id)
    assert (found.doctor_id, found.clinics_as("doctor")) == (rym.id, {el_djazair.clinic_id})


def test_one_account_is_one_doctor(admin: Any, el_djazair: Any, dr_haddad: Any) -> None:
    make_specialty()
    made = practices.invite(admin.actor, **RYM, clinic_id=el_djazair.clinic_id, email=dr_haddad.email)
    (asked,) = joining.mine(dr_haddad.actor)
    with pytest.raises(Conflict) as no:
        joining.accept(dr_haddad.actor, asked.id)
    assert no.value.code == "already_doctor"
    assert made.user_id is None


def test_who_verified_a_licence_does_not_become_that_doctor_verified(
    admin: Any, el_djazair: Any, superadmin: Any
) -> None:
    make_specialty()
    made = practices.invite(admin.actor, **RYM, clinic_id=el_djazair.clinic_id, email=admin.email)
    profiles.verify_licence(admin.actor, made.slug)
    (asked,) = joining.mine(admin.actor)
    joining.accept(admin.actor, asked.id)
    assert (made.user_id, made.is_public) == (admin.user_id, False)
    with pytest.raises(Conflict) as no:
        profiles.verify_licence(admin.actor, made.slug)
    assert no.value.code == "own_licence"
    assert profiles.verify_licence(superadmin.actor, made.slug).is_public


@pytest.mark.parametrize("boss", ["admin", "superadmin"])
def test_a_known_doctor_joins_another_clinic_with_the_own_yes(
    boss: str, dr_haddad: Any, el_djazair: Any, admin: Any, mailbox: Any, request: Any
) -> None:
    asker = request.getfixturevalue(boss)
    asked = practices.start(asker.actor, dr_haddad.slug, clinic_id=el_djazair.clinic_id, fee_minor=200_000)
    assert asked.email is None, "the address is not the clinic's to know"
    assert not dr_haddad.actor.works_at(el_djazair.clinic_id)
    assert mailbox.link(dr_haddad.email).endswith("/account/invitations")
    with pytest.raises(Conflict):
        practices.start(asker.actor, dr_haddad.slug, clinic_id=el_djazair.clinic_id)
    with pytest.raises(NotFound):
        joining.accept(asker.actor, asked.id)
    joining.accept(dr_haddad.actor, asked.id)
    assert el_djazair.clinic_id in dr_haddad.actor.clinics_as("doctor")
    with pytest.raises(Conflict) as no:
        practices.start(asker.actor, dr_haddad.slug, clinic_id=el_djazair.clinic_id)
    assert no.value.code == "already_here"
    here = session().scalars(select(Practice).where(Practice.clinic_id == el_djazair.clinic_id)).one()
    practices.end(admin.actor, here.id)
    again = practices.start(admin.actor, dr_haddad.slug, clinic_id=el_djazair.clinic_id, fee_minor=220_000)
    assert not here.is_active, "coming back is asked, too"
    joining.accept(dr_haddad.actor, again.id)
    assert (here.is_active, here.fee_minor) == (True, 220_000)


def test_for_a_profile_without_an_account_its_own_clinic_says_yes(
    admin: Any, superadmin: Any, el_djazair: Any, wahran: Any, kamel: Any, mailbox: Any
) -> None:
    make_specialty()
    made = practices.invite(admin.actor, **RYM, clinic_id=el_djazair.clinic_id)
    profiles.verify_licence(admin.actor, made.slug)
    make_member(session().get_one(User, kamel.user_id), session().get_one(Clinic, wahran.clinic_id), "admin")
    asked = practices.start(kamel.actor, made.slug, clinic_id=wahran.clinic_id)
    assert asked.state == "waiting", "the same answer as for a doctor with an account"
    assert "Rym" in mailbox.text(admin.email)
    with pytest.raises(NotFound):
        joining.accept(kamel.actor, asked.id)
    joining.accept(admin.actor, asked.id)
    with pytest.raises(Forbidden):  # whose account it is, one clinic does not decide for another any more
        practices.connect(admin.actor, made.slug, clinic_id=el_djazair.clinic_id, email="me@example.dz")
    connected = practices.connect(superadmin.actor, made.slug, clinic_id=el_djazair.clinic_id, email=kamel.email)
    joining.accept(kamel.actor, connected.id)
    assert kamel.actor.clinics_as("doctor") == {el_djazair.clinic_id, wahran.clinic_id}


def test_a_clinic_does_not_make_its_own_account_the_doctor_of_another(
    admin: Any, el_djazair: Any, wahran: Any, kamel: Any, rym: Doctor, superadmin: Any, mailbox: Any
) -> None:
    """Asked while the profile practised at one clinic, accepted when it practises at two."""
    practices.start(superadmin.actor, rym.slug, clinic_id=wahran.clinic_id)
    with pytest.raises(Refused):
        joining.accept_new(HERE, token_in(mailbox, "rym@example.dz"), given_name="R", family_name="A", password=NEW)
    session().rollback()


def test_an_own_doctor_without_account_practises_at_a_second_clinic_of_the_same_admin_at_once(
    admin: Any, el_djazair: Any, wahran: Any
) -> None:
    make_specialty()
    made = practices.invite(admin.actor, **RYM, clinic_id=el_djazair.clinic_id)
    make_member(session().get_one(User, admin.user_id), session().get_one(Clinic, wahran.clinic_id), "admin")
    assert practices.start(admin.actor, made.slug, clinic_id=wahran.clinic_id).state == "accepted"


def test_a_profile_is_connected_later_when_the_address_was_wrong(
    admin: Any, el_djazair: Any, rym: Doctor, amina: Any
) -> None:
    (wrong,) = invitations.of_doctor(admin.actor, rym.id)
    with pytest.raises(Conflict):
        practices.connect(admin.actor, rym.slug, clinic_id=el_djazair.clinic_id, email=amina.email)
    invitations.withdraw(admin.actor, wrong.id)
    asked = practices.connect(admin.actor, rym.slug, clinic_id=el_djazair.clinic_id, email=amina.email)
    joining.accept(amina.actor, asked.id)
    assert amina.actor.doctor_id == rym.id
    with pytest.raises(Conflict) as no:
        practices.connect(admin.actor, rym.slug, clinic_id=el_djazair.clinic_id, email="x@example.dz")
    assert no.value.code == "has_account"


def test_no_verb_but_the_yes_gives_a_doctor_an_account() -> None:
    """Only joining writes Doctor.user_id, and only members.begin and programs make memberships."""
    import re

    from tests.rules.source import PORTAL

    writers = {"doctor.user_id =": set(), "Membership(": set(), "Practice(": set()}
    for path in (PORTAL / "domain").rglob("*.py"):
        for line in path.read_text().splitlines():
            for mark in writers:
                if re.search(rf"(?<![\w.]){re.escape(mark)}(?!=)", line) and not line.startswith("class "):
                    writers[mark].add(path.relative_to(PORTAL / "domain").as_posix())
    assert writers == {
        "doctor.user_id =": {"doctors/joining.py"},
        "Membership(": {"clinics/members.py", "clinics/programs.py"},
        "Practice(": {"doctors/practices.py"},
    }


def test_the_statements_are_the_same_for_every_address(admin: Any, el_djazair: Any, amina: Any) -> None:
    """No measurement of time: what is asked of the database does not depend on who reads the address."""
    from sqlalchemy import event

    from portal.core.db import db

    seen: list[str] = []

    def listen(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement.split(" WHERE ")[0])

    def asked(email: str) -> list[str]:
        seen.clear()
        ask(admin, el_djazair, email)
        return list(seen)

    ask(admin, el_djazair, "first@example.dz")
    event.listen(db.engine, "before_cursor_execute", listen)
    try:
        assert asked(amina.email) == asked("nobody@example.dz")
    finally:
        event.remove(db.engine, "before_cursor_execute", listen)
