"""Sentences, plural forms, dates and money as the reader writes them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from markupsafe import Markup

from portal.core import french, text
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


@pytest.mark.parametrize(
    ("code", "two", "three"),
    [("en", "a and b", "a, b and c"), ("fr", "a et b", "a, b et c"), ("ar", "a وb", "a، b وc")],
)
def test_words_are_listed_as_the_language_lists_them(code, two, three):
    with speaking(code):
        assert [text.listed(words) for words in ([], ["a"], "ab", "abc")] == ["", "a", two, three]


def test_what_stands_side_by_side_has_the_comma_of_the_language_and_no_gap():
    assert text.beside("El Amel", None, "Oran") == "El Amel, Oran"
    with speaking("ar"):
        assert text.beside("El Amel", "Oran") == "El Amel، Oran"


def test_a_list_with_markup_escapes_the_rest():
    assert str(text.listed(["<", Markup("<b>x</b>")])) == "&lt; and <b>x</b>"


def test_names_stand_in_the_order_of_a_dictionary():
    assert text.in_order(["Gynécologie", "Zoo", "gériatrie", "Étude", "Gériatrie"]) == [
        "Étude",
        "Gériatrie",
        "gériatrie",
        "Gynécologie",
        "Zoo",
    ]
    assert text.in_order([2, 1], name=lambda one: "ba"[one - 1]) == [2, 1]


def test_french_writes_the_first_of_a_month_as_an_ordinal_in_spans_too():
    with speaking("fr"):
        assert text.format_days(date(2026, 12, 1), date(2026, 12, 7)) == "1er–7 déc."
        assert text.format_days(date(2026, 11, 30), date(2026, 12, 1)).endswith("1er déc.")
        assert text.format_days(date(2026, 12, 11), date(2026, 12, 21)) == "11–21 déc."
    assert text.format_days(date(2026, 12, 1), date(2026, 12, 7)) == "1–7 Dec"


@pytest.mark.parametrize(
    ("sentence", "name", "said"),
    [
        ("Demande de %(doctor)s", "Dr Haddad", "Demande du Dr Haddad"),
        ("à %(doctor)s", "Pr Ziani", "au Pr Ziani"),
        ("Avec %(doctor)s", "Dr Haddad", "Avec le Dr Haddad"),
        ("Le %(doctor)s a confirmé.", "Dr Haddad", "Le Dr Haddad a confirmé."),
        ("Le %(doctor)s a confirmé.", "Nadia Haddad", "Nadia Haddad a confirmé."),
        ("l’avis du %(doctor)s", "Amine Haddad", "l’avis d’Amine Haddad"),
        ("Dossier de %(doctor)s", "\u2068Élodie\u2069", "Dossier d’\u2068Élodie\u2069"),
        ("Dossier de %(doctor)s", "Hassan", "Dossier de Hassan"),
        ("parce que %(doctor)s", "Imane", "parce qu’Imane"),
    ],
)
def test_french_small_words_are_written_as_the_name_after_them_asks(sentence, name, said):
    values = {"doctor": name}
    assert french.joined(sentence, values) % values == said


def test_a_value_that_is_a_date_keeps_its_article():
    assert french.joined("le %(time)s", {"doctor": "Amine", "time": "lundi 7"}) == "le %(time)s"


def test_a_zone_is_named_as_people_name_it():
    assert text.format_zone("Africa/Algiers") == "Algeria Time"
    with speaking("ar"):
        assert "الجزائر" in text.format_zone(ZoneInfo("Africa/Algiers"))
