"""Sentences, plural forms, dates and money as the reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal.core import text
from portal.core.text import gettext, lazy, ngettext, speak, speaking

ARABIC = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\\n"
"Plural-Forms: nplurals=6; plural=(n==0 ? 0 : n==1 ? 1 : n==2 ? 2 : n%100>=3 && n%100<=10 ? 3 : n%100>=11 ? 4 : 5);\\n"

msgid "Good morning, %(name)s."
msgstr "صباح الخير يا %(name)s."

msgid "%(n)s time"
msgid_plural "%(n)s times"
msgstr[0] "لا مواعيد"
msgstr[1] "موعد واحد"
msgstr[2] "موعدان"
msgstr[3] "%(n)s مواعيد"
msgstr[4] "%(n)s موعدا"
msgstr[5] "%(n)s موعد"
"""


@pytest.fixture
def arabic(tmp_path, monkeypatch):
    """A small Arabic catalogue in place of the portal's."""
    folder = tmp_path / "ar" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "messages.po").write_text(ARABIC.lstrip(), encoding="utf-8")
    monkeypatch.setattr(text, "CATALOGUES", tmp_path)
    text._catalogue.cache_clear()
    yield
    text._catalogue.cache_clear()


@pytest.fixture(autouse=True)
def _english():
    with speaking("en"):
        yield


def test_a_sentence_is_said_in_the_language_spoken_now(arabic):
    assert gettext("Good morning, %(name)s.", name="Amina") == "Good morning, Amina."
    with speaking("ar"):
        assert gettext("Good morning, %(name)s.", name="Amina") == "صباح الخير يا Amina."
    assert text.language() == "en"


def test_a_lazy_sentence_is_translated_each_time_it_is_shown(arabic):
    sentence = lazy("Good morning, %(name)s.", name="Amina")
    assert str(sentence) == "Good morning, Amina."
    with speaking("ar"):
        assert str(sentence) == "صباح الخير يا Amina."
    assert str(sentence) == "Good morning, Amina."


def test_arabic_has_six_plural_forms(arabic):
    with speaking("ar"):
        said = [ngettext("%(n)s time", "%(n)s times", n) for n in (0, 1, 2, 3, 11, 100)]
    assert said == ["لا مواعيد", "موعد واحد", "موعدان", "3 مواعيد", "11 موعدا", "100 موعد"]


def test_english_has_two():
    assert [ngettext("%(n)s time", "%(n)s times", n) for n in (0, 1, 2)] == ["0 times", "1 time", "2 times"]


def test_a_sentence_without_translation_is_said_in_english(arabic):
    with speaking("ar"):
        assert gettext("Nobody has translated this.") == "Nobody has translated this."


def test_a_percent_sign_in_a_sentence_without_values_is_just_that():
    assert gettext("100% of them") == "100% of them"


def test_an_unknown_language_is_english():
    speak("xx")
    assert text.language() == "en"


@pytest.mark.parametrize(("code", "direction"), [("en", "ltr"), ("fr", "ltr"), ("ar", "rtl")])
def test_arabic_runs_from_right_to_left(code, direction):
    with speaking(code):
        assert text.direction() == direction


@pytest.mark.parametrize(("code", "part"), [("en", "31 March 2026"), ("fr", "31 mars 2026"), ("ar", "31 مارس 2026")])
def test_dates_are_written_as_readers_of_the_language_do_with_plain_digits(code, part):
    with speaking(code):
        assert text.format_date(date(2026, 3, 31)).replace("\u200f", "") == part


def test_french_writes_the_first_of_a_month_as_an_ordinal_and_no_other_day():
    moment = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
    with speaking("fr"):
        assert text.format_date(date(2026, 12, 1)) == "1er décembre 2026"
        assert text.format_day(date(2026, 12, 1)) == "mar. 1er déc."
        assert text.format_datetime(moment, "Africa/Algiers").startswith("mardi 1er décembre 2026 ")
        assert text.format_date(date(2026, 12, 21)) == "21 décembre 2026"
    with speaking("en"):
        assert text.format_date(date(2026, 12, 1)) == "1 December 2026"


def test_a_moment_is_shown_in_the_zone_it_is_meant_in():
    moment = datetime(2026, 3, 31, 8, 30, tzinfo=UTC)
    assert text.format_time(moment, "Africa/Algiers") == "09:30"
    assert text.format_time(moment, ZoneInfo("Asia/Tokyo")) == "17:30"
    assert "Tuesday" in text.format_datetime(moment, "Africa/Algiers")


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [(250_000, "DZD", "2,500 DZD"), (250_050, "DZD", "2,500.50 DZD"), (None, "DZD", ""), (1_500, "JPY", "1,500 JP¥")],
)
def test_money_is_in_minor_units_and_round_amounts_have_no_decimals(minor, currency, shown):
    assert text.format_money(minor, currency).replace("\xa0", " ") == shown


def test_a_span_is_said_in_words():
    assert text.format_span(timedelta(minutes=20)) == "20 minutes"
    assert text.format_minutes(1) == "1 minute"


def test_a_row_of_words_has_the_comma_of_its_language():
    with speaking("fr"):
        assert text.listed(["lundi", "mardi"]) == "lundi, mardi"
    with speaking("ar"):
        assert text.listed(["الاثنين", "الثلاثاء"]) == "الاثنين، الثلاثاء"


def test_a_zone_is_named_as_people_name_it():
    assert text.format_zone("Africa/Algiers") == "Algeria Time"
    with speaking("ar"):
        assert "الجزائر" in text.format_zone(ZoneInfo("Africa/Algiers"))
