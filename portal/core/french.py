"""What French does to a sentence when a value is filled in, and to the first day of a month.

The rules are those of the Académie française and the Lexique of the Imprimerie nationale: "de" and "que" lose their
vowel before another (d’Amine), "de" and "à" melt into the article of a doctor's title (du Dr Haddad, au Pr Ziani),
other prepositions keep it (avec le Dr Haddad), and only the first of a month is an ordinal (1er décembre). The
catalogue writes "le %(doctor)s" where no preposition shows the place; a name without a title loses that article.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

_BEFORE = re.compile(r"\b(de|à|que|avec|chez|pour|par|sur) (?=%\((\w+)\)s)", re.IGNORECASE)
_ARTICLE = re.compile(r"\b(le|du|au) (?=%\(doctor\)s)", re.IGNORECASE)
_WITHOUT = {"le": "", "du": "de", "au": "à"}
_TITLE = re.compile(r"(?:Dr|Pr)\.? ")
_MELTS = {"de": "du ", "à": "au "}
_ELIDES = {"de": "d’", "que": "qu’"}
# before a month's name (1 déc.) or at the head of a span of days (1–7 déc.)
_FIRST = re.compile(r"(?<![\d:.,])1(?=[ \u00a0](?:janv|févr|mars|avr|mai|juin|juil|août|sept|oct|nov|déc)|–\d)")

_HOUR = re.compile(r"^heure\s:\s")


def joined(sentence: str, values: Mapping[str, Any]) -> str:
    """`sentence`, not yet filled in, with its small words as they are written before these values."""
    if not _TITLE.match(_plain(values.get("doctor", "Dr "))):
        sentence = _ARTICLE.sub(lambda found: f"{_WITHOUT[found[1].lower()]} ".lstrip(), sentence)
    return _BEFORE.sub(lambda found: _small(found[1], _plain(values.get(found[2]))), sentence)


def ordinals(said: str) -> str:
    """A written day or span of days, the first of a month as an ordinal."""
    return _FIRST.sub("1er", said)


def country(zone: str) -> str:
    """The country of a zone that CLDR calls "heure : Algérie", which cannot stand in brackets or after a colon."""
    return _HOUR.sub("", zone)


def _plain(value: object) -> str:
    """A value as it begins for the reader: it may be isolated (UAX 9)."""
    return str(value).lstrip("\u2066\u2067\u2068")


def _small(word: str, first: str) -> str:
    low = word.lower()
    if _TITLE.match(first):
        said = _MELTS.get(low, f"{low} le ")
    elif low in _ELIDES and unicodedata.normalize("NFD", first[:1]).casefold()[:1] in set("aeiouœæ"):
        said = _ELIDES[low]
    else:
        return f"{word} "
    return said.capitalize() if word[0].isupper() else said
