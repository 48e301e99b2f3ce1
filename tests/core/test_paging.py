"""Lists by key skip nothing and repeat nothing."""

from __future__ import annotations

import base64
import json

import pytest
from sqlalchemy import select

from portal.core.db import keep
from portal.core.errors import Invalid
from portal.core.paging import decode, encode, page
from portal.domain.identity.models import User
from tests.builders import make_user

KEYS = [User.family_name, User.id]


@pytest.fixture
def seven(database):
    """Seven people, some of one name."""
    for name in "BAACBAD":
        make_user("Same", name)
    keep()


def test_pages_follow_one_another_without_gaps_or_doubles(seven):
    assert _walk(limit=2) == [["A", "A"], ["A", "B"], ["B", "C"], ["D"]]


def test_the_other_way_round_too(seven):
    assert _walk(limit=3, descending=True) == [["D", "C", "B"], ["B", "A", "A"], ["A"]]


def test_somebody_new_on_an_earlier_page_shifts_nothing(seven):
    first = page(select(User), KEYS, limit=3)
    make_user("Same", "0")
    second = page(select(User), KEYS, limit=3, after=first.next)
    assert [user.family_name for user in second] == ["B", "B", "C"]


def test_the_last_page_has_no_next(seven):
    assert page(select(User), KEYS, limit=7).next is None
    assert len(page(select(User), KEYS, limit=7)) == 7


@pytest.mark.parametrize(("asked", "given"), [(0, 1), (-3, 1), (1_000, 7)])
def test_a_page_has_at_least_one_and_at_most_a_hundred_rows(seven, asked, given):
    assert len(page(select(User), KEYS, limit=asked)) == given


@pytest.mark.parametrize(
    "cursor",
    [
        "no cursor",
        "%%%",
        encode(["one value"]),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(json.dumps(["A", "no uuid"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps([None, {}]).encode()).decode(),
        base64.urlsafe_b64encode(b'["\\u0000", "\\ud800"]').decode(),
    ],
)
def test_a_cursor_we_did_not_make_is_refused(seven, cursor):
    with pytest.raises(Invalid) as refused:
        page(select(User), KEYS, after=cursor)
    assert refused.value.code == "bad_cursor"


def test_a_cursor_says_what_was_put_into_it():
    assert decode(encode(["é", 3]), 2) == ["é", 3]


def _walk(**how) -> list[list[str]]:
    pages, after = [], None
    while True:
        found = page(select(User), KEYS, after=after, **how)
        pages.append([user.family_name for user in found])
        after = found.next
        if after is None:
            return pages
