"""What widens readers: every place that ties an account, a clinic or a program to a record, and by whose act it does.

A new place fails here until it has a line: which relation, whose act makes it, and the test that shows it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.rules.source import ROOT

# A row of one of these lets somebody read or do more.
RELATIONS = {
    "Delegation", "Registration", "Membership", "Practice", "CalendarFeed", "WebhookEndpoint", "SsoLink", "TokenFamily",
    "UserSession", "RecordJoin", "OAuthClient",
}  # fmt: skip
OWNERS = {"user_id", "service_user_id", "merged_into_id", "clinic_id"}  # set on a row that exists, they hand it over
SQL = re.compile(r"INSERT INTO (registrations|delegations|memberships|practices)\b")
NOT_THE_PRODUCT = ("demo",)


# relation and place, whose act makes it or what makes it harmless, and the test that shows it
TABLE = """
Delegation patients.care.begin
    the patient or who decides for them; a clinic's once they allowed it, and the carer accepted
    domain/patients/test_requests.py
    test_a_carer_acts_once_the_patient_has_allowed_it_and_they_have_accepted_and_at_this_clinic_only
Registration patients.desk._register
    a clinic's own new record; another's only by joining
    domain/patients/test_requests.py
    test_a_clerk_who_knows_name_birth_date_and_phone_reads_nothing_of_another_clinic
registrations scheduling.taking
    the patient books; a clinic books for those it knows
    domain/patients/test_requests.py
    test_somebody_who_works_at_two_clinics_does_not_carry_a_patient_from_one_to_the_other
RecordJoin patients.joining.join
    the patient's yes; of two records that are one clinic's alone its desk, see test_merging.py
    domain/patients/test_requests.py
    test_the_patient_who_allows_it_has_one_record_and_both_clinics_read_it
merged_into_id patients.joining.join
    the patient's yes
    domain/patients/test_joining.py
    test_who_cares_for_the_whole_of_the_one_does_not_come_to_care_for_the_other
merged_into_id patients.parting.part
    whoever may undo: the clinic's own desk, or the patient who says that a paper was wrong; each reads what was theirs
    domain/patients/test_merging.py
    test_an_undo_gives_back_what_the_ledger_names_and_tells_what_came_after
user_id patients.deciding._take_back
    the patient who says that a paper was wrong; the account reads the record no more
    domain/patients/test_requests.py
    test_a_disputed_paper_takes_a_record_back_that_was_taken_over
user_id patients.accepting._take_over
    whoever reads the record's own address, or one the patient allowed, and shows the birth date
    domain/patients/test_requests.py
    test_a_record_goes_to_its_own_address_and_to_another_one_only_when_the_patient_allows_it
Membership clinics.members.begin
    the yes of the account's owner
    domain/doctors/test_joining.py
    test_an_invitation_grants_nothing_anywhere
Membership clinics.programs.add
    an admin, for a program's own account without a password
    domain/identity/test_clients.py
    test_a_program_that_works_by_itself_has_an_account_and_one_role
Practice doctors.practices._join
    the doctor's yes; for a profile without an account that of its own clinic
    domain/doctors/test_joining.py
    test_a_known_doctor_joins_another_clinic_with_the_own_yes
user_id doctors.joining._take_profile
    the yes of the account's owner
    domain/doctors/test_joining.py
    test_no_verb_but_the_yes_gives_a_doctor_an_account
OAuthClient identity.clients.make
    an admin; people allow it on the consent page
    domain/identity/test_clients.py
    test_only_admins_have_to_do_with_programs
TokenFamily identity.tokens.open_family
    whoever signed in, or allowed the program
    domain/identity/test_clients.py
    test_what_it_was_given_shrinks_with_what_it_may_ask_and_never_grows
UserSession identity.sessions.start
    whoever proved to be the account's owner
    domain/identity/test_sessions.py
    test_the_right_password_opens_a_session
SsoLink identity.sso._link
    a provider that vouches for the verified address
    domain/identity/test_sso.py
    test_an_address_the_provider_does_not_vouch_for_opens_nothing
CalendarFeed scheduling.feeds.make
    the account itself; shows when and where
    domain/scheduling/test_feeds.py
    test_a_feed_shows_when_and_where_and_nothing_else
WebhookEndpoint webhooks.endpoints.make
    the account itself or its admin; carries ids
    domain/webhooks/test_sending.py
    test_what_happens_is_told_with_ids_states_and_times_only
user_id notifications.delivery.tell
    not a record: whom a message is for
    domain/patients/test_clinic_part.py
    test_messages_about_the_patient_go_to_them_for_that_clinic_only
"""


def table() -> dict[tuple[str, str], tuple[str, str]]:
    """What the table says of each place: its test, as file and name."""
    lines = [line.strip() for line in TABLE.strip().splitlines()]
    said = {}
    for place, _whose, path, name in zip(*(lines[first::4] for first in range(4)), strict=True):
        relation, where = place.split(" ")
        said[relation, f"portal.domain.{where}"] = (path, name)
    return said


def test_every_place_that_widens_readers_says_by_whose_act() -> None:
    found = {(relation, where.rstrip(".")) for relation, where in places()}
    assert found - set(table()) == set(), "a new place lets somebody read more: by whose act, and which test shows it?"
    assert set(table()) - found == set(), "these places are gone"


def test_every_line_names_a_test_that_exists() -> None:
    for path, name in table().values():
        assert f"def {name}(" in (ROOT / "tests" / path).read_text(encoding="utf-8"), name


def places() -> Iterator[tuple[str, str]]:
    """(relation, module.function) for each place that makes or hands over a relation."""
    for path in sorted((ROOT / "portal").rglob("*.py")):
        if not set(path.relative_to(ROOT / "portal").parts) & set(NOT_THE_PRODUCT):
            yield from _in(path)


def _in(path: Path) -> Iterator[tuple[str, str]]:
    module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    tree = ast.parse(path.read_text())
    for function, node in _nodes(tree, ""):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else ""
            inserted = (
                node.args[0].id if called == "insert" and node.args and isinstance(node.args[0], ast.Name) else ""
            )
            for name in {called, inserted} & RELATIONS:
                yield name, f"{module}.{function}"
        elif isinstance(node, (ast.Assign, ast.AnnAssign)):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            flat = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
            for target in flat:
                if isinstance(target, ast.Attribute) and target.attr in OWNERS and not _is_self(target):
                    yield target.attr, f"{module}.{function}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            for table in SQL.findall(node.value):
                yield table, f"{module}.{function}"


def _nodes(node: ast.AST, function: str) -> Iterator[tuple[str, ast.AST]]:
    for child in ast.iter_child_nodes(node):
        inside = function
        if isinstance(child, (ast.FunctionDef, ast.ClassDef)):
            inside = f"{function}.{child.name}".strip(".")
        yield inside, child
        yield from _nodes(child, inside)


def _is_self(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id in {"self", "cls"}
