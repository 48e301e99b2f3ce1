"""The portal's languages: sentences, plural forms, dates, numbers and money as the reader writes them.

Every string goes through here, from the domain's refusals to the templates. Which language is spoken is a context
variable: a door sets it for its request, a task for each recipient.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations

LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}
RIGHT_TO_LEFT = {"ar"}
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"

# Babel's plain "ar" writes Arabic-Indic digits in no Maghreb newspaper; Algeria's Arabic uses 0-9.
_LOCALES = {"en": "en_GB", "fr": "fr_DZ", "ar": "ar_DZ"}
_FIRST = re.compile(r"(?<!\d)1 (?=[^\W\d])")  # the day before the month's name

_language: ContextVar[str] = ContextVar("language", default="en")


def language() -> str:
    """The language spoken now: en, fr or ar."""
    return _language.get()


def preferred(tags: Iterable[str]) -> str | None:
    """The first of our languages among tags such as "fr-DZ", most wanted first; None when there is none."""
    return next((code for tag in tags if (code := tag.replace("_", "-").split("-")[0].lower()) in LANGUAGES), None)


def speak(code: str) -> None:
    """Speak `code` from now on in this context; an unknown one is English."""
    _language.set(code if code in LANGUAGES else "en")


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Speak `code` within the block."""
    token = _language.set(code if code in LANGUAGES else "en")
    try:
        yield
    finally:
        _language.reset(token)


def direction() -> str:
    return "rtl" if language() in RIGHT_TO_LEFT else "ltr"


def locale() -> Locale:
    return _locale_of(language())


def gettext(message: str, /, **values: Any) -> str:
    """`message` in the language spoken now, with %(name)s filled in."""
    said = _catalogue(language()).gettext(message)
    return said % values if values else said


def ngettext(one: str, many: str, n: int, /, **values: Any) -> str:
    """The plural form for `n`; Arabic has six."""
    return _catalogue(language()).ngettext(one, many, n) % {"n": n, "num": n, **values}


def pgettext(context: str, message: str, /, **values: Any) -> str:
    """`message` where `context` tells two meanings of one English word apart."""
    said = str(_catalogue(language()).pgettext(context, message))
    return said % values if values else said


def lazy(message: str, /, **values: Any) -> Any:
    """`message`, translated each time it is shown; for sentences written before the reader is known."""
    return LazyProxy(gettext, message, enable_cache=False, **values)


def format_date(day: date, style: str = "long") -> str:
    return _first(dates.format_date(day, style, locale=locale()))


def format_day(day: date) -> str:
    """Weekday, day and month: the shortest that cannot be misread."""
    return _first(dates.format_skeleton("MMMEd", datetime.combine(day, time()), locale=locale()))


def _first(said: str) -> str:
    """French writes the first day of a month as an ordinal (1er décembre); CLDR's patterns do not."""
    return _FIRST.sub("1er ", said) if language() == "fr" else said


def format_time(moment: datetime | time, zone: str | ZoneInfo | None = None) -> str:
    if isinstance(moment, datetime):
        moment = _in(moment, zone)
    return dates.format_time(moment, "HH:mm", locale=locale())


def format_datetime(moment: datetime, zone: str | ZoneInfo | None = None) -> str:
    """Weekday, date and time of `moment` in `zone`."""
    local = _in(moment, zone)
    day = format_date(local, "full")
    return gettext("%(day)s at %(time)s", day=day, time=format_time(local))


def format_span(length: timedelta) -> str:
    """A length of time in words, such as "20 minutes"."""
    return dates.format_timedelta(length, threshold=1.5, locale=locale())


def format_minutes(minutes: int) -> str:
    return ngettext("%(n)s minute", "%(n)s minutes", minutes)


def format_zone(zone: str | ZoneInfo) -> str:
    """Whose clock it is, such as "Algeria Time"."""
    return dates.get_timezone_location(ZoneInfo(zone) if isinstance(zone, str) else zone, locale=locale())


def format_number(value: float) -> str:
    return numbers.format_decimal(value, locale=locale())


def format_percent(share: float) -> str:
    """A share from 0 to 1 in whole per cent, with the sign where the language puts it."""
    return numbers.format_percent(round(share, 2), locale=locale())


def format_money(minor: int | None, currency: str) -> str:
    """An amount in minor units (ISO 4217) as the reader writes it; round amounts without decimals."""
    if minor is None:
        return ""
    digits = numbers.get_currency_precision(currency)
    major = minor / 10**digits if digits else minor
    shape = "#,##0 ¤" if major == int(major) else f"#,##0.{'0' * digits} ¤"
    return numbers.format_currency(major, currency, shape, locale=locale(), currency_digits=False)


def listed(words: Iterable[object]) -> str:
    """Words or numbers in a row, with the comma of the language."""
    return ("، " if language() == "ar" else ", ").join(map(str, words))


def _in(moment: datetime, zone: str | ZoneInfo | None) -> datetime:
    if zone is None:
        return moment
    return moment.astimezone(ZoneInfo(zone) if isinstance(zone, str) else zone)


@cache
def _locale_of(code: str) -> Locale:
    return Locale.parse(_LOCALES[code])


@cache
def _catalogue(code: str) -> NullTranslations:
    path = CATALOGUES / code / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as source:
        write_mo(compiled, read_po(source, locale=code))
    compiled.seek(0)
    return Translations(compiled)
