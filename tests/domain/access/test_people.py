"""The list of accounts: who sees whom, with which roles."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.errors import Forbidden, NotFound
from portal.domain.access import people
from portal.domain.identity import accounts


def found(page: Any) -> set[str]:
    return {one.user.given_name for one in page}


def test_a_superadmin_sees_everybody(superadmin: Any, amina: Any, nadia: Any, dr_haddad: Any) -> None:
    page = people.search(superadmin.actor)
    assert found(page) == {"Houria", "Amina", "Nadia", "Omar"}
    roles = {one.user.given_name: [role.name for role in one.roles] for one in page}
    assert roles == {"Houria": ["superadmin"], "Amina": ["patient"], "Nadia": ["staff"], "Omar": ["doctor"]}


def test_an_admin_sees_who_works_in_the_own_clinics_and_nobody_else(
    admin: Any, amina: Any, nadia: Any, kamel: Any, dr_benali: Any, dr_haddad: Any, superadmin: Any
) -> None:
    assert found(people.search(admin.actor)) == {"Farid", "Nadia", "Samira"}
    for stranger in (amina, kamel, dr_haddad, superadmin):
        with pytest.raises(NotFound):
            people.get(admin.actor, stranger.user_id)
    assert people.get(admin.actor, nadia.user_id).roles[0].name == "staff"


@pytest.mark.parametrize("who", ["nadia", "dr_benali", "amina"])
def test_nobody_else_sees_the_list(request: Any, who: str) -> None:
    with pytest.raises(Forbidden):
        people.search(request.getfixturevalue(who).actor)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"role": "staff"}, {"Nadia", "Kamel"}), ({"role": "doctor"}, {"Omar"}), ({"role": "patient"}, {"Amina"}),
        ({"role": "superadmin"}, {"Houria"}), ({"role": "admin"}, set()), ({"text": "nad sli"}, {"Nadia"}),
        ({"text": "KAMEL@example"}, {"Kamel"}), ({"text": "100%"}, set()), ({"state": "deactivated"}, {"Amina"}),
        ({"state": "invited"}, set()), ({"state": "active"}, {"Houria", "Nadia", "Kamel", "Omar"}),
    ],
)  # fmt: skip
def test_the_list_is_narrowed_by_name_role_and_state(
    superadmin: Any, amina: Any, nadia: Any, kamel: Any, dr_haddad: Any, asked: dict[str, str], expected: set[str]
) -> None:
    accounts.deactivate(superadmin.actor, amina.user_id)
    assert found(people.search(superadmin.actor, **asked)) == expected


def test_a_filter_tells_an_admin_nothing_of_other_clinics(
    admin: Any, nadia: Any, amina: Any, kamel: Any, wahran: Any
) -> None:
    assert found(people.search(admin.actor, role="staff")) == {"Nadia"}
    assert found(people.search(admin.actor, role="patient")) == set()
    with pytest.raises(NotFound):
        people.search(admin.actor, clinic_id=wahran.clinic_id)


def test_pages_follow_one_another_without_gap_or_double(superadmin: Any, amina: Any, nadia: Any, kamel: Any) -> None:
    seen: list[str] = []
    after = None
    for _ in range(4):
        page = people.search(superadmin.actor, after=after, limit=1)
        seen += [one.user.given_name for one in page]
        after = page.next
    assert (seen, after) == (["Amina", "Kamel", "Houria", "Nadia"], None)


def test_names_are_those_of_the_accounts(superadmin: Any, amina: Any) -> None:
    assert people.names([amina.user_id]) == {amina.user_id: "Amina Boudiaf"}
    assert people.names([]) == {}
