"""Names are compared in one form, and Python and PostgreSQL know the same one."""

from __future__ import annotations

import sys
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, VARCHAR

from portal.core.db import session
from portal.core.names import fold

IN_ORDER = text("SELECT fold_name(one) FROM unnest(:all) WITH ORDINALITY AS t(one, place) ORDER BY place").bindparams(
    bindparam("all", type_=ARRAY(VARCHAR))
)
KNOWN = [
    chr(code)
    for code in range(1, sys.maxunicode + 1)
    if not 0xD800 <= code <= 0xDFFF and unicodedata.category(chr(code)) not in {"Cn", "Co"}
]
LETTERS = some.text(some.sampled_from([one for one in KNOWN if ord(one) < 0x3000]), max_size=30)


def in_sql(names: list[str]) -> list[str]:
    return list(session().scalars(IN_ORDER, {"all": names}))


@pytest.mark.parametrize(
    ("stored", "typed"),
    [
        ("علي كريمي", "علی کریمی"), ("أحمد", "احمد"), ("إبراهيم", "ابراهيم"), ("آمنة", "امنه"), ("ٱلزهراء", "الزهراء"),
        ("مصطفى", "مصطفي"), ("مُحَمَّد", "محمد"), ("مـــوسى", "موسى"), ("علی\u200cرضا", "علیرضا"), ("ﻣﺤﻤﺪ", "محمد"),
        ("رؤوف", "رووف"), ("Sørensen", "sorensen"), ("Æbeltoft", "aebeltoft"), ("Đặng", "dang"), ("Łukasz", "lukasz"),
        ("Lœtitia", "loetitia"), ("Strauß", "STRAUSS"), ("Işık", "ISIK"), ("İnci", "inci"), ("Þór", "thor"),
        ("M\u02bchamed", "M'hamed"), ("M’hamed", "Mhamed"), ("Ὀδυσσεύς", "ΟΔΥΣΣΕΥΣ"), ("חיים", "חיימ"),
        ("Nguyễn", "nguyen"), ("Ａｍｉｎａ", "amina"), ("٣", "3"), ("۳", "3"), ("Ben-Ali", "ben ali"),
        ("Ɓello", "bello"),
    ],
)  # fmt: skip
def test_spellings_of_one_name_are_one(stored: str, typed: str) -> None:
    assert fold(stored) == fold(typed) != ""


def test_other_names_stay_apart() -> None:
    names = ["علي", "عالي", "Ali", "Ala", "كريم", "كرم", "Sami", "Samia", "Łódź", "Lodi"]
    assert len({fold(one) for one in names}) == len(names)


@settings(max_examples=200, deadline=None)
@given(LETTERS)
def test_what_is_folded_stays_as_it_is(name: str) -> None:
    assert fold(fold(name)) == fold(name)


def test_postgresql_folds_every_character_as_python_does(database: Any) -> None:
    # of Han and Hangul a few: they are 90,000 letters that stay as they are
    rare = [range(0x3400, 0xD7A4), range(0x20000, 0xE0000)]
    some_of = [one for one in KNOWN if not any(ord(one) in block for block in rare) or ord(one) % 40 == 0]
    names = [f"A{'b x '.join(some_of[begin : begin + 8])}b" for begin in range(0, len(some_of), 8)]
    wrong = [(one, here) for one, here in zip(names, in_sql(names), strict=True) if fold(one) != here]
    assert wrong == []


def test_postgresql_folds_every_text_as_python_does(database: Any) -> None:
    @settings(max_examples=60, deadline=None, database=None)
    @given(some.lists(LETTERS, max_size=30))
    def agree(names: list[str]) -> None:
        assert in_sql(names) == [fold(one) for one in names]

    agree()
