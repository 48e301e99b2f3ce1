"""Best reviews first, where few reviews count little; and only doctors of at least so many stars."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core.db import keep, session
from portal.core.errors import Invalid
from portal.domain.clinics.models import Clinic
from portal.domain.doctors import directory
from portal.domain.doctors.shapes import DirectoryQuery
from portal.domain.scheduling import finding
from tests.builders import make_doctor, make_practice

# family name -> how many reviews, of what average
RATED = {"Once": (1, 5.0), "Often": (200, 4.8), "Fair": (40, 3.9), "Bad": (30, 2.0), "Nobody": (0, 0.0)}


@pytest.fixture
def rated(database: Any, el_djazair: Any) -> None:
    clinic = session().get_one(Clinic, el_djazair.clinic_id)
    for name, (count, average) in RATED.items():
        doctor = make_doctor(family_name=name, rating_count=count, rating_sum=round(count * average))
        make_practice(doctor, clinic)
    keep()


def names(amina: Any, **query: Any) -> list[str]:
    found = finding.search(amina.actor, DirectoryQuery.parse(query)).items
    return [one.doctor.name.split()[-1] for one in found]


def test_one_single_five_does_not_go_before_two_hundred_of_four_point_eight(rated: Any, amina: Any) -> None:
    assert names(amina, sort="rating") == ["Often", "Fair", "Once", "Nobody", "Bad"]


def test_four_and_more_leaves_out_the_others_and_those_without_any(rated: Any, amina: Any) -> None:
    assert sorted(names(amina, rating="4", sort="name")) == ["Often", "Once"]
    assert sorted(names(amina, rating=3, sort="rating")) == ["Fair", "Often", "Once"]


def test_pages_by_rating_skip_nobody(rated: Any, amina: Any) -> None:
    seen, after = [], None
    while True:
        page = directory.search(amina.actor, DirectoryQuery.parse({"sort": "rating", "limit": 2, "after": after or ""}))
        seen += [card.name.split()[-1] for card in page.items]
        after = page.next
        if after is None:
            break
    assert seen == ["Often", "Fair", "Once", "Nobody", "Bad"]


def test_a_card_says_the_average_and_its_count(rated: Any, amina: Any) -> None:
    card = directory.search(amina.actor, DirectoryQuery.parse({"sort": "rating"})).items[0]
    assert (card.rating, card.rating_count) == (4.8, 200)
    assert directory.search(amina.actor, DirectoryQuery.parse({"name": "Nobody"})).items[0].rating is None


@pytest.mark.parametrize("wrong", ["0", "6", "many"])
def test_stars_there_are_not(wrong: str) -> None:
    with pytest.raises(Invalid):
        DirectoryQuery.parse({"rating": wrong})


def test_a_cursor_of_another_order_is_refused(rated: Any, amina: Any) -> None:
    after = directory.search(amina.actor, DirectoryQuery.parse({"sort": "name", "limit": 1})).next
    with pytest.raises(Invalid):
        directory.search(amina.actor, DirectoryQuery.parse({"sort": "rating", "after": after}))
