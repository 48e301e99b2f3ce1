"""The second factor: set up, asked for, taken once, and what helps when the phone is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from portal import checkup
from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import keep, session
from portal.core.errors import Forbidden, Gone, NotFound, TooMany
from portal.core.events import Event
from portal.domain.access import actors, factor_help
from portal.domain.identity import accounts, credentials, factors, second_step, sessions, tokens
from portal.domain.identity.challenges import ChallengeOver, SecondFactorRequired
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.factor_models import RecoveryCode, SecondFactor
from portal.domain.identity.factors import HasFactor, NotBegun, WrongCode
from portal.domain.identity.models import TokenFamily
from tests.apps import Phone
from tests.builders import PASSWORD, make_member, make_patient, make_user
from tests.people import Person

HERE = Actor(door="web", address="10.0.0.1")
THERE = Actor(door="web", address="192.0.2.9")


def user_of(person: Any) -> Any:
    return accounts.get(person.user_id)


def signed_in_half(person: Any, actor: Actor = HERE) -> str:
    """The challenge after the right password."""
    with pytest.raises(SecondFactorRequired) as asked:
        sessions.sign_in(actor, person.email, PASSWORD)
    return asked.value.challenge


def events_of(name: str) -> list[Event]:
    keep()
    return list(session().scalars(select(Event).where(Event.name == name)))


@pytest.fixture
def phone(amina: Any) -> Phone:
    return Phone(amina).set_up()


@pytest.fixture
def required_of_staff() -> Any:
    factors.require_of_staff(True)
    yield
    factors.require_of_staff(False)


# --- setting up ---


def test_a_secret_counts_only_after_a_code_of_it(amina: Any) -> None:
    factors.begin(amina.actor)
    assert factors.of(amina.user_id) is None
    assert sessions.sign_in(HERE, amina.email, PASSWORD)
    codes = factors.confirm(amina.actor, Phone(amina).code())
    standing = factors.of(amina.user_id)
    assert standing and standing.codes_left == len(set(codes)) == 10
    assert signed_in_half(amina)


def test_the_app_is_told_who_and_where(amina: Any) -> None:
    assert factors.pending(amina.actor, "Portal") is None
    factors.begin(amina.actor)
    setup = factors.pending(amina.actor, "Portal")
    assert setup and setup.address.startswith("otpauth://totp/Portal:amina%40example.dz?")
    assert f"secret={setup.secret.replace(' ', '')}" in setup.address
    factors.confirm(amina.actor, Phone(amina).code())
    assert factors.pending(amina.actor, "Portal") is None


def test_the_secret_is_unreadable_in_the_table_and_worthless_elsewhere(amina: Any, yacine: Any) -> None:
    factors.begin(amina.actor)
    setup = factors.pending(amina.actor, "Portal")
    factor = session().scalars(select(SecondFactor)).one()
    assert setup and setup.secret.replace(" ", "").encode() not in factor.secret
    with pytest.raises(Gone):
        secrets.unlock("second-factor-secret", factor.secret, yacine.user_id.bytes)
    with pytest.raises(Gone):
        secrets.unlock("something-else", factor.secret, amina.user_id.bytes)


def test_beginning_again_makes_another_secret_until_one_is_confirmed(amina: Any) -> None:
    factors.begin(amina.actor)
    first = factors.pending(amina.actor, "Portal")
    factors.begin(amina.actor)
    session().expire_all()
    assert factors.pending(amina.actor, "Portal") != first
    factors.confirm(amina.actor, Phone(amina).code())
    with pytest.raises(HasFactor):
        factors.begin(amina.actor)


def test_a_wrong_first_code_turns_nothing_on(amina: Any) -> None:
    with pytest.raises(NotBegun):
        factors.confirm(amina.actor, "123456")
    factors.begin(amina.actor)
    for wrong in ("000000", "", "abc", "é", Phone(amina).code(-5), Phone(amina).code(5)):
        with pytest.raises(WrongCode):
            factors.confirm(amina.actor, wrong)
    assert factors.of(amina.user_id) is None


def test_turning_it_on_signs_everybody_else_out(amina: Any) -> None:
    _, elsewhere = sessions.sign_in(THERE, amina.email, PASSWORD)
    grant = tokens.sign_in(HERE, amina.email, PASSWORD)
    _, here = sessions.sign_in(HERE, amina.email, PASSWORD)
    actor = actors.by_session(here, "10.0.0.1")
    assert actor
    factors.begin(actor)
    factors.confirm(actor, Phone(amina).code())
    assert actors.by_session(elsewhere, None) is None
    assert actors.by_session(here, None) is None, "a copy of the cookie is worth nothing"
    assert actors.by_session(sessions.renew(actor), None)
    with pytest.raises(tokens.TokenRefused):
        actors.by_bearer(grant.access_token, None)


# --- the second step of a sign-in ---


def test_the_right_code_opens_a_session(amina: Any, phone: Phone) -> None:
    _, token = second_step.open_session(HERE, signed_in_half(amina), phone.fresh())
    actor = actors.by_session(token, None)
    assert actor and actor.user_id == amina.user_id and actor.has_factor


@pytest.mark.parametrize("ahead", [-1, 0, 1])
def test_a_clock_that_is_half_a_minute_off_does_no_harm(amina: Any, phone: Phone, standing_at: Any, ahead: int) -> None:
    with standing_at(clock.now() + timedelta(minutes=2)):
        factors.check(HERE, user_of(amina), phone.code(ahead))


@pytest.mark.parametrize("ahead", [-3, -2, 2, 3])
def test_codes_of_other_times_are_refused(amina: Any, phone: Phone, standing_at: Any, ahead: int) -> None:
    with standing_at(clock.now() + timedelta(minutes=2)), pytest.raises(WrongCode):
        factors.check(HERE, user_of(amina), phone.code(ahead))


def test_a_code_is_taken_once_and_so_is_every_one_before_it(amina: Any, phone: Phone, standing_at: Any) -> None:
    with standing_at(clock.now() + timedelta(minutes=2)):
        factors.check(HERE, user_of(amina), phone.code())
        for used in (phone.code(), phone.code(-1)):
            with pytest.raises(WrongCode) as refused:
                factors.check(HERE, user_of(amina), used)
            assert "used already" in str(refused.value.fields["code"])
        factors.check(HERE, user_of(amina), phone.code(1))


def test_the_code_that_turned_it_on_is_used_up(amina: Any, standing_at: Any) -> None:
    with standing_at(clock.now()):
        phone = Phone(amina).set_up()
        with pytest.raises(WrongCode):
            factors.check(HERE, user_of(amina), phone.code())


@pytest.mark.parametrize("how", ["{} {}", " {}-{} ", "arabic", "devanagari", "wide"])
def test_codes_are_read_as_people_type_them(amina: Any, phone: Phone, how: str) -> None:
    code = phone.fresh()
    first = {"arabic": 0x660, "devanagari": 0x966, "wide": 0xFF10}.get(how)
    typed = how.format(code[:3], code[3:]) if first is None else "".join(chr(first + int(digit)) for digit in code)
    factors.check(HERE, user_of(amina), typed)


def test_somebody_elses_code_opens_nothing(amina: Any, yacine: Any, phone: Phone) -> None:
    other = Phone(yacine).set_up()
    with pytest.raises(WrongCode):
        second_step.open_session(HERE, signed_in_half(amina), other.fresh())
    with pytest.raises(WrongCode):
        second_step.open_session(HERE, signed_in_half(amina), other.codes[0])


def test_a_challenge_grows_old(amina: Any, phone: Phone, standing_at: Any) -> None:
    challenge = signed_in_half(amina)
    with pytest.raises(ChallengeOver):
        second_step.open_session(HERE, challenge[:-3] + "abc", phone.fresh())
    with pytest.raises(ChallengeOver):
        second_step.grant_tokens(HERE, challenge, phone.fresh())  # made for the pages
    credentials.change(amina.actor, PASSWORD, "another long password")
    with pytest.raises(ChallengeOver):
        second_step.open_session(HERE, challenge, phone.fresh())


def test_a_challenge_of_an_account_that_was_shut_is_over(amina: Any, superadmin: Any, phone: Phone) -> None:
    challenge = signed_in_half(amina)
    accounts.deactivate(superadmin.actor, amina.user_id)
    with pytest.raises(ChallengeOver):
        second_step.open_session(HERE, challenge, phone.fresh())


def test_a_challenge_ends_when_the_factor_is_taken_away(amina: Any, phone: Phone) -> None:
    challenge = signed_in_half(amina)
    code = phone.fresh()
    factors.remove(amina.actor)
    with pytest.raises(ChallengeOver):
        second_step.open_session(HERE, challenge, code)


def test_a_wrong_password_asks_for_no_code(amina: Any, phone: Phone) -> None:
    with pytest.raises(sessions.SignInRefused):
        sessions.sign_in(HERE, amina.email, "not her password")


def test_half_a_sign_in_is_on_record(amina: Any, phone: Phone) -> None:
    signed_in_half(amina)
    (event,) = events_of("session.half_started")
    assert event.facts == {"user_id": str(amina.user_id)}


# --- limits ---


def test_wrong_codes_run_out(amina: Any, phone: Phone, with_limits: None) -> None:
    for _ in range(10):
        with pytest.raises(WrongCode):
            factors.check(HERE, user_of(amina), "000000")
    with pytest.raises(TooMany):
        factors.check(HERE, user_of(amina), phone.fresh())


def test_a_stranger_elsewhere_locks_nobody_out(amina: Any, phone: Phone, with_limits: None) -> None:
    sessions.start(HERE, user_of(amina))
    refused = set()
    for number in range(40):
        try:
            factors.check(Actor(door="web", address=f"192.0.2.{number}"), user_of(amina), "000000")
        except (WrongCode, TooMany) as no:
            refused.add((number < 30, no.code))
    assert refused == {(True, "wrong_code"), (False, "too_many")}
    factors.check(HERE, user_of(amina), phone.fresh())


def test_a_right_code_makes_wrong_ones_forgotten(amina: Any, phone: Phone, with_limits: None) -> None:
    for _ in range(2):
        for _ in range(9):
            with pytest.raises(WrongCode):
                factors.check(HERE, user_of(amina), "000000")
        factors.check(HERE, user_of(amina), phone.codes.pop())


# --- recovery codes ---


def test_each_recovery_code_works_once(amina: Any, phone: Phone) -> None:
    code = phone.codes[3]
    second_step.open_session(HERE, signed_in_half(amina), f" {code.upper().replace('-', ' ')} ")
    standing = factors.of(amina.user_id)
    assert standing and standing.codes_left == 9
    with pytest.raises(WrongCode):
        factors.check(HERE, user_of(amina), code)
    assert events_of("factor.recovery_code_used")


def test_no_recovery_code_can_be_read_from_the_table(amina: Any, phone: Phone) -> None:
    kept = {one.fingerprint for one in session().scalars(select(RecoveryCode))}
    plain = {code.replace("-", "") for code in phone.codes}
    assert len(kept) == 10
    assert not kept & plain
    assert not kept & {secrets.fingerprint(code) for code in plain}, "a digest without a key can be tried"


def test_new_codes_end_the_old_ones(amina: Any, phone: Phone) -> None:
    new = factors.renew_codes(amina.actor)
    assert not set(new) & set(phone.codes)
    with pytest.raises(WrongCode):
        factors.check(HERE, user_of(amina), phone.codes[0])
    factors.check(HERE, user_of(amina), new[0])


def test_without_a_factor_there_are_no_codes(amina: Any) -> None:
    for verb in (factors.renew_codes, factors.remove):
        with pytest.raises(NotFound):
            verb(amina.actor)
    factors.begin(amina.actor)
    for verb in (factors.renew_codes, factors.remove):
        with pytest.raises(NotFound):
            verb(amina.actor)


# --- taken away ---


def test_one_takes_ones_own_away_and_sets_up_another(amina: Any, phone: Phone) -> None:
    factors.remove(amina.actor)
    assert sessions.sign_in(HERE, amina.email, PASSWORD)
    assert not list(session().scalars(select(RecoveryCode)))
    assert len(Phone(amina).set_up().codes) == 10


def test_a_superadmin_helps_whoever_lost_the_phone(superadmin: Any, nadia: Any, mailbox: Any) -> None:
    Phone(nadia).set_up()
    _, token = sessions.start(HERE, user_of(nadia))
    assert factor_help.take_away(superadmin.actor, nadia.user_id) is True
    assert actors.by_session(token, None) is None
    (event,) = events_of("factor.taken_away")
    assert event.actor_id == superadmin.user_id and event.facts == {"user_id": str(nadia.user_id)}
    assert "An admin removed the second factor" in mailbox.text(nadia.email)
    assert sessions.sign_in(HERE, nadia.email, PASSWORD)
    with pytest.raises(NotFound):
        factor_help.take_away(superadmin.actor, nadia.user_id)


def help_token(mailbox: Any, person: Any) -> str:
    return str(mailbox.link(person.email, "second-factor-help")).rpartition("/")[2]


def test_an_admin_only_asks_and_the_person_agrees_by_letter(admin: Any, nadia: Any, mailbox: Any) -> None:
    """The account may be a patient's, too: no employer opens it alone, and all are asked alike."""
    Phone(nadia).set_up()
    _, opened = sessions.start(HERE, user_of(nadia))
    assert factor_help.take_away(admin.actor, nadia.user_id) is False
    assert factors.of(nadia.user_id) and actors.by_session(opened, None)
    token = help_token(mailbox, nadia)
    assert factor_help.look(token).admin.name == "Farid Ouali"
    factor_help.agree(HERE, token)
    assert factors.of(nadia.user_id) is None and actors.by_session(opened, None) is None
    (asked,), (event,) = events_of("factor.help_asked"), events_of("factor.taken_away")
    assert (asked.actor_id, event.actor_id, event.door) == (admin.user_id, nadia.user_id, "link")
    Phone(nadia).set_up()
    with pytest.raises(Gone):  # the link was for the phone that is lost
        factor_help.agree(HERE, token)


def test_the_same_happens_whether_the_employee_is_a_patient_too(admin: Any, nadia: Any, mailbox: Any) -> None:
    make_patient(user_of(nadia))
    Phone(nadia).set_up()
    assert factor_help.take_away(admin.actor, nadia.user_id) is False
    assert factors.of(nadia.user_id)
    assert help_token(mailbox, nadia)


def test_a_request_ends_with_the_admins_right_and_after_a_day(
    admin: Any, nadia: Any, wahran: Any, mailbox: Any, standing_at: Any
) -> None:
    Phone(nadia).set_up()
    factor_help.take_away(admin.actor, nadia.user_id)
    token = help_token(mailbox, nadia)
    with standing_at(clock.now() + timedelta(hours=25)), pytest.raises(Gone):
        factor_help.look(token)
    _member(user_of(nadia), wahran)  # works elsewhere by now
    with pytest.raises(Gone):
        factor_help.agree(HERE, token)
    assert factors.of(nadia.user_id)


def test_an_admin_helps_nobody_else(
    admin: Any, amina: Any, kamel: Any, nadia: Any, superadmin: Any, wahran: Any, el_djazair: Any
) -> None:
    for person in (amina, kamel, nadia, superadmin, admin):
        Phone(person).set_up()
    for stranger in (amina, kamel, superadmin):
        with pytest.raises(NotFound):
            factor_help.take_away(admin.actor, stranger.user_id)
    with pytest.raises(Forbidden):
        factor_help.take_away(admin.actor, admin.user_id)
    _member(user_of(superadmin), el_djazair)
    _member(user_of(nadia), wahran)
    for seen in (superadmin, nadia):  # works elsewhere too, or decides about everything
        with pytest.raises(Forbidden):
            factor_help.take_away(admin.actor, seen.user_id)
    for nobody in (amina, nadia):
        with pytest.raises((Forbidden, NotFound)):
            factor_help.take_away(nobody.actor, kamel.user_id)
    with pytest.raises(Forbidden):
        factor_help.take_away(superadmin.actor, superadmin.user_id)
    factor_help.take_away(superadmin.actor, kamel.user_id)


def _member(user: Any, place: Any) -> None:
    from portal.domain.clinics.models import Clinic

    make_member(user, session().get_one(Clinic, place.clinic_id), "staff")
    keep()


# --- letters ---


def test_every_change_is_told_by_letter(amina: Any, mailbox: Any) -> None:
    phone = Phone(amina).set_up()
    assert "asks for a code" in mailbox.text(amina.email)
    factors.check(HERE, user_of(amina), phone.codes[0])
    assert "one of your recovery codes" in mailbox.text(amina.email)
    factors.renew_codes(amina.actor)
    assert "New recovery codes were made" in mailbox.text(amina.email)
    factors.remove(amina.actor)
    assert "Your password alone opens" in mailbox.text(amina.email)
    assert len(mailbox.to(amina.email)) == 4


# --- required of everybody who works here ---


def test_employees_need_one_and_patients_do_not(
    required_of_staff: None, amina: Any, dr_benali: Any, nadia: Any, admin: Any, superadmin: Any
) -> None:
    assert not factors.is_missing(amina.actor) and not factors.is_required(amina.actor)
    for person in (dr_benali, nadia, admin, superadmin):
        assert factors.is_missing(person.actor) and factors.is_required(person.actor)
        Phone(person).set_up()
        assert not factors.is_missing(person.actor) and factors.is_required(person.actor)


@pytest.mark.parametrize(
    ("mode", "said", "asked"),
    [
        ("production", "", True),
        ("production", "staff", True),
        ("production", "optional", False),
        ("demo", "", False),
        ("demo", "staff", True),
        ("test", "", False),
    ],
)
def test_production_asks_for_it_unless_told_otherwise(app: Any, mode: str, said: str, asked: bool) -> None:
    settings = app.extensions["portal.settings"].model_copy(update={"portal_mode": mode, "second_factor": said})
    assert settings.staff_need_second_factor is asked
    assert checkup._second_factor(settings).ok is (asked or mode != "production")


def test_where_it_is_optional_nobody_misses_it(nadia: Any) -> None:
    assert not factors.is_missing(nadia.actor) and not factors.is_required(nadia.actor)


def test_a_token_of_an_employee_without_one_is_refused(required_of_staff: None, nadia: Any) -> None:
    grant = tokens.sign_in(HERE, nadia.email, PASSWORD)
    with pytest.raises(factors.SetupRequired):
        actors.by_bearer(grant.access_token, None)


def test_a_programs_own_account_needs_no_phone(required_of_staff: None, el_djazair: Any, where: Any) -> None:
    robot = make_user("Robot", "Desk")
    _member(robot, el_djazair)
    person = Person(robot.name, str(robot.email), robot.id)
    client = OAuthClient(
        client_id="robot", name="Robot", secret_fingerprint="x" * 64, grants=["client_credentials"],
        scopes=["users:read"], service_user_id=robot.id,
    )  # fmt: skip
    session().add(client)
    session().flush()
    grant = tokens.sign_in(HERE, person.email, PASSWORD)
    with pytest.raises(factors.SetupRequired):
        actors.by_bearer(grant.access_token, None)
    session().scalars(select(TokenFamily)).one().client_id = client.id
    session().flush()
    assert actors.by_bearer(grant.access_token, None).user_id == robot.id
