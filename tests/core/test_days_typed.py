"""A date is read as people type it, by one reader; programs write one form."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from portal.core import days, text
from portal.core.days import DayOfBirth
from portal.core.errors import Invalid
from portal.core.shapes import Shape
from tests.rules.source import ROOT

BORN = date(1990, 2, 3)


class Form(Shape):
    born: DayOfBirth


@pytest.mark.parametrize("language", ["en", "fr", "ar"])
@pytest.mark.parametrize(
    "written",
    ["03/02/1990", "3/2/1990", "03-02-1990", "03.02.1990", "3. 2. 1990", "03 02 1990", "1990-02-03", "1990/02/03",
     "٠٣/٠٢/١٩٩٠", "۰۳/۰۲/۱۹۹۰", "٣-٢-١٩٩٠", "\u200f٠٣/٠٢/١٩٩٠\u200f", "٣؍٢؍١٩٩٠", "03–02–1990", " 03/02/1990 "],
)  # fmt: skip
def test_forms_read_what_people_type(language: str, written: str) -> None:
    with text.speaking(language):
        assert Form.parse({"born": written}).born == days.typed(written) == BORN


@pytest.mark.parametrize(
    "written",
    ["03/02/90", "31/02/1990", "12/25/1990", "03/02-1990", "1990", "03021990", "1990-W05-6", "³/²/1990", "0/0/1990", "",
     "3/2/19900", "1767225600", "03/1990", "03//02//1990"],
)  # fmt: skip
def test_nothing_is_guessed(written: str) -> None:
    assert days.typed(written) is None
    with pytest.raises(Invalid):
        Form.parse({"born": written})


def test_where_the_month_comes_first_it_is_read_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(days, "writes_day_first", lambda: False)
    assert days.typed("02/03/1990") == BORN
    assert days.typed("1990-02-03") == BORN


@pytest.mark.parametrize("written", ["03/02/1990", "1990/02/03", "٠٣/٠٢/١٩٩٠", "1990-2-3"])
def test_programs_write_one_form(written: str) -> None:
    assert Form.parse_json(b'{"born": "1990-02-03"}') == Form(born=BORN)
    with pytest.raises(Invalid):
        Form.parse_json(f'{{"born": "{written}"}}'.encode())


@settings(max_examples=100, deadline=None)
@given(some.dates(days.FIRST, days.LAST), some.sampled_from("/.-"), some.sampled_from([ord("٠"), ord("۰"), ord("0")]))
def test_every_date_is_read_back(day: date, between: str, zero: int) -> None:
    for written in (f"{day.day:02}{between}{day.month:02}{between}{day.year}", day.isoformat()):
        said = "".join(chr(zero + int(char)) if char.isdigit() else char for char in written)
        assert days.read(said) == day


def test_every_form_reads_dates_with_the_one_reader() -> None:
    """A date box of the library's own reads one form only, and loses what it cannot read."""
    files = {path: path.read_text() for path in (ROOT / "portal/web").rglob("*.py")}
    using = [path for path, source in files.items() if "DateField(" in source and path != ROOT / "portal/web/forms.py"]
    assert len(using) > 10
    assert [path for path in using if not re.search(r"portal\.web\.forms import .*DateField", files[path])] == []
