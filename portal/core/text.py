"""The portal's languages: sentences, plural forms, dates, numbers and money as the reader writes them.

Every string goes through here, from the domain's refusals to the templates. Which language is spoken is a context
variable: a door sets it for its request, a task for each recipient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import date, datetime, time, timedelta
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from babel import Locale, dates, lists, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import LazyProxy, NullTranslations, Translations
from markupsafe import Markup

from portal.core import clock, french, names

T = TypeVar("T")
LANGUAGES = {"en": "English", "fr": "Français", "ar": "العربية"}
RIGHT_TO_LEFT = {"ar"}
CATALOGUES = Path(__file__).resolve().parent.parent / "translations"

# Babel's plain "ar" writes Arabic-Indic digits in no Maghreb newspaper; Algeria's Arabic uses 0-9.
_LOCALES = {"en": "en_GB", "fr": "fr_DZ", "ar": "ar_DZ"}

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
    return _filled(said, values) if values else said


def ngettext(one: str, many: str, n: int, /, **values: Any) -> str:
    """The plural form for `n`; Arabic has six."""
    return _filled(_catalogue(language()).ngettext(one, many, n), {"n": n, "num": n, **values})


def pgettext(context: str, message: str, /, **values: Any) -> str:
    """`message` where `context` tells two meanings of one English word apart."""
    said = str(_catalogue(language()).pgettext(context, message))
    return _filled(said, values) if values else said


def _filled(said: str, values: dict[str, Any]) -> str:
    return (french.joined(said, values) if language() == "fr" else said) % values


def lazy(message: str, /, **values: Any) -> Any:
    """`message`, translated each time it is shown; for sentences written before the reader is known."""
    return LazyProxy(gettext, message, enable_cache=False, **values)


def lazy_pgettext(context: str, message: str, /, **values: Any) -> Any:
    """`pgettext`, translated each time it is shown."""
    return LazyProxy(pgettext, context, message, enable_cache=False, **values)


def format_date(day: date, style: str = "long") -> str:
    return _first(dates.format_date(day, style, locale=locale()))


def writes_day_first() -> bool:
    """Whether the language writes 3 February as 03/02 and not as 02/03."""
    pattern = locale().date_formats["short"].pattern
    return pattern.index("d") < pattern.index("M")


def format_day(day: date) -> str:
    """Weekday, day and month: the shortest that cannot be misread."""
    return _first(dates.format_skeleton("MMMEd", datetime.combine(day, time()), locale=locale()))


def format_days(first: date, last: date) -> str:
    """A span of days without its year, such as "1–7 Dec"."""
    return _first(dates.format_interval(first, last, "MMMd", locale=locale()))


def _first(said: str) -> str:
    """French writes the first day of a month as an ordinal (1er décembre); CLDR's patterns do not."""
    return french.ordinals(said) if language() == "fr" else said


def format_time(moment: datetime | time, zone: str | ZoneInfo | None = None) -> str:
    if isinstance(moment, datetime):
        moment = _in(moment, zone)
    return dates.format_time(moment, "HH:mm", locale=locale())


def format_datetime(moment: datetime, zone: str | ZoneInfo | None = None) -> str:
    """Weekday, date and time of `moment` in `zone`."""
    local = _in(moment, zone)
    day = format_date(local, "full")
    return gettext("%(day)s at %(time)s", day=day, time=format_time(local))


def format_when(moment: datetime, zone: str | ZoneInfo | None) -> str:
    """As `format_datetime`, with whose clock it is where that shows another time than the portal's: for lists, messages
    and cards, in which visits at clinics of several zones stand side by side."""
    return beside_zone(format_datetime(moment, zone), moment, zone)


def beside_zone(time_said: str, moment: datetime, zone: str | ZoneInfo | None) -> str:
    """A time in words and the zone it is read in, unless the portal's own clock shows the same."""
    if zone is None or _in(moment, zone).utcoffset() == _in(moment, clock.home()).utcoffset():
        return time_said
    return f"{time_said} ({format_zone(zone)})"


def format_span(length: timedelta) -> str:
    """A length of time in words, such as "20 minutes"."""
    return dates.format_timedelta(length, threshold=1.5, locale=locale())


def format_minutes(minutes: int) -> str:
    return ngettext("%(n)s minute", "%(n)s minutes", minutes)


def format_zone(zone: str | ZoneInfo) -> str:
    """Whose clock it is, such as "Algeria Time"; in French the country alone."""
    said = dates.get_timezone_location(ZoneInfo(zone) if isinstance(zone, str) else zone, locale=locale())
    return french.country(said) if language() == "fr" else said


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
    """Words one after the other as the language lists them: "a, b and c"."""
    values = list(words)
    places = [f"{{{place}}}" for place in range(len(values))]
    if language() == "ar" and len(places) > 2:  # CLDR sets "and" before every word; print has it before the last only
        places = ["، ".join(places[:-1]), places[-1]]
    return _shaped(lists.format_list(places, locale=locale()), values)


def beside(*parts: object) -> str:
    """What stands side by side, such as a name and its city, with the comma of the language; nothing for nothing."""
    values = [part for part in parts if part]
    comma = "، " if language() == "ar" else ", "
    return _shaped(comma.join(f"{{{place}}}" for place in range(len(values))), values)


def labelled(label: object, value: object = "") -> str:
    """A label and what it names in one line: French sets a space before the colon, Arabic isolates the value."""
    return gettext("%(label)s: %(value)s", label=label, value=value)


def _shaped(shape: str, values: list[object]) -> str:
    """Markup where one of the values is."""
    return (Markup(shape) if any(hasattr(value, "__html__") for value in values) else shape).format(*values)  # noqa: S704


def in_order(things: Iterable[T], name: Callable[[T], object] = str) -> list[T]:
    """Things sorted by their names as a dictionary does: by letters, and by accents and case only among equal ones
    (Gériatrie before Gynécologie), which are the first levels of the Unicode Collation Algorithm."""
    return sorted(things, key=lambda one: (names.fold(str(name(one))), str(name(one))))


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
