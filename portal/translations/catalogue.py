"""Every sentence of the portal, found in its code and templates, beside what the catalogues make of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from portal.translations import style

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).resolve().parent
LANGUAGES = ("fr", "ar")
WIDTH = 120
ALWAYS = datetime(2026, 1, 1, tzinfo=UTC)  # a date that changes at each run would only make noise
HEADER = "# The portal's sentences. Made by `python -m portal.translations`, translated by hand."
KEYWORDS: dict[str, Any] = {
    "_": None,
    "lazy": None,
    "gettext": None,
    "say": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "lazy_pgettext": ((1, "c"), 2),
}
SOURCES: tuple[tuple[str, list[tuple[str, str]], dict[str, Any]], ...] = (
    ("portal", [("**.py", "python")], {}),
    ("templates", [("**.html", "jinja2"), ("**.txt", "jinja2")], {"**": {"silent": "false"}}),
)
_VALUE = re.compile(r"%\((\w+)\)[sd]|%(?!%)(?!\()")
COUNTS = {"n", "num"}  # a form for exactly one or two may say it in words


def extract() -> Catalog:
    """Every sentence that is written in code and templates."""
    found = Catalog(project="Portal", charset="utf-8", creation_date=ALWAYS)
    for folder, methods, options in SOURCES:
        for _file, _line, message, _comments, context in extract_from_dir(
            ROOT / folder, methods, options, keywords=KEYWORDS
        ):
            found.add(message, context=context)
    return found


def path_of(language: str) -> Path:
    return HERE / language / "LC_MESSAGES" / "messages.po"


def read(language: str) -> Catalog:
    """A language's catalogue; an empty one when there is none yet."""
    path = path_of(language)
    if not path.exists():
        return Catalog(locale=language, charset="utf-8")
    with path.open("rb") as source:
        return read_po(source, locale=language, charset="utf-8")


def update(language: str, source: Catalog) -> Catalog:
    """Write the catalogue anew: new sentences empty, gone ones left out, nothing guessed."""
    catalogue = read(language)
    catalogue.update(source, no_fuzzy_matching=True)
    catalogue.obsolete.clear()
    catalogue.project, catalogue.version, catalogue.fuzzy = "Portal", "1", False
    catalogue.creation_date = catalogue.revision_date = ALWAYS
    catalogue.last_translator = catalogue.language_team = catalogue.msgid_bugs_address = "Portal"
    catalogue.header_comment = HEADER
    path = path_of(language)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as target:
        write_po(target, catalogue, width=WIDTH, no_location=True, sort_output=True, ignore_obsolete=True)
    return catalogue


def faults(language: str, source: Catalog) -> Iterator[str]:
    """A line for each sentence that a reader of this language would not get whole."""
    catalogue = read(language)
    for wanted in source:
        if not wanted.id:
            continue
        said = catalogue.get(wanted.id, wanted.context)
        if said is None:
            yield f"not in the catalogue: {_key(wanted)}"
        elif "fuzzy" in said.flags:
            yield f"guessed: {_key(wanted)}"
        else:
            yield from _wrong(said, catalogue.num_plurals)
            yield from style.faults(language, _key(wanted), _forms(said))
    known = {(_key(one), one.context) for one in source}
    yield from (f"nobody says this any more: {_key(one)}" for one in catalogue if (_key(one), one.context) not in known)


def _wrong(said: Message, plurals: int) -> Iterator[str]:
    forms, key = _forms(said), _key(said)
    if not all(forms):
        yield f"not translated: {key}"
        return
    if isinstance(said.id, (tuple, list)) and len(forms) != plurals:
        yield f"{len(forms)} plural forms instead of {plurals}: {key}"
    for form in forms:
        missing, strange = _values(said.id) - _values(form), _values(form) - _values(said.id)
        if isinstance(said.id, (tuple, list)):
            missing -= COUNTS
        if missing or strange:
            yield f"other values than the sentence has ({', '.join(sorted(missing | strange))}): {key}"


def _forms(said: Message) -> tuple[str, ...]:
    return tuple(said.string) if isinstance(said.string, (tuple, list)) else (said.string or "",)


def _values(text: Any) -> set[str]:
    """The names of the values in a sentence, and "%" for a per cent sign that would break it."""
    whole = " ".join(text) if isinstance(text, (tuple, list)) else str(text)
    return {match[1] or "%" for match in _VALUE.finditer(whole)}


def _key(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, (tuple, list)) else message.id)
