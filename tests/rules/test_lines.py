"""Every one-line text of every Shape: nothing that turns it around or breaks it, and something to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, get_args

import pytest
from flask import Flask
from pydantic import TypeAdapter, ValidationError

from portal.core.shapes import OneLine, Shape
from portal.core.unseen import left_out, shows
from tests.rules.source import ROOT

TURNING = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
BREAKING = "\u2028\u2029\x85\n\r\x0b\x0c\x07\x00"
SHOWS_NOTHING = [
    "\u200b", "\u3164", "\u2800", "\u2028", "\u2029", "\x85", "\u115f\u1160", "\uffa0", "\u034f", "\u00ad", "\u200d",
    "\u202e\u202c", "\ufe0f", "\u0301", "\U000e0041", " \u3000\u00a0 ", "\u2800 \u3164",
]  # fmt: skip

# Texts that are no line of words: several lines, or something that only a program or its owner reads.
SEVERAL_LINES = {"answer", "biography", "comment", "message", "note", "qualifications", "reason", "text"}
UNSHOWN = {
    "after", "challenge", "code", "current_password", "hold", "password", "q", "refresh_token", "seen", "specialty",
    "token",
}  # fmt: skip
LOOKED_UP = {"portal.domain.identity.shapes.SignIn.email", "portal.domain.identity.shapes.ProgramSignIn.email"}


def _shapes(kind: type = Shape) -> Iterator[type[Shape]]:
    one: type[Shape]
    for one in kind.__subclasses__():
        yield one
        yield from _shapes(one)


def shapes_of_the_portal() -> list[type[Shape]]:
    return [shape for shape in _shapes() if shape.__module__.startswith("portal.")]


def _texts() -> Iterator[tuple[str, TypeAdapter[Any]]]:
    """The fields that take a text as it is, with their names."""
    for shape in shapes_of_the_portal():
        for name, field in shape.model_fields.items():
            whole: Any = Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation
            adapter: TypeAdapter[Any] = TypeAdapter(whole)
            if str in _inner(field.annotation) and _read(adapter, "Aa Bb") and name not in SEVERAL_LINES | UNSHOWN:
                where = f"{shape.__module__}.{shape.__name__}.{name}"
                if where not in LOOKED_UP:  # normalised where they are compared (portal/core/emails.py)
                    yield where, adapter


def _inner(kind: Any) -> set[Any]:
    return {kind, *(deep for one in get_args(kind) for deep in _inner(one))}


def _read(adapter: TypeAdapter[Any], written: str) -> str | None:
    try:
        read = adapter.validate_python(written)
    except ValidationError:
        return None
    return read if isinstance(read, str) else None


def test_no_line_turns_around_or_breaks(app: Flask) -> None:
    wrong, looked_at = set(), set()
    for where, adapter in _texts():
        looked_at.add(where)
        wrong |= {where for sign in TURNING + BREAKING if sign in (_read(adapter, f"Aa{sign}Bb") or "")}
    assert wrong == set()
    assert len(looked_at) > 40


def test_no_line_shows_nothing_and_is_taken_as_something(app: Flask) -> None:
    wrong = set()
    for where, adapter in _texts():
        wrong |= {where for one in SHOWS_NOTHING if (read := _read(adapter, one)) and not shows(read)}
    assert wrong == set()


@pytest.mark.parametrize(
    "kept", ["علی\u200cرضا", "क\u094d\u200dष", "👩\u200d⚕\ufe0f Cabinet", "M’hamed", "-", "Salle n° 3", "➊"]
)
def test_what_belongs_to_a_spelling_stays(kept: str) -> None:
    line = TypeAdapter(Annotated[str, OneLine(80)])
    assert line.validate_python(kept) == kept == left_out(kept)


def test_lines_are_made_in_one_place() -> None:
    """Whoever refuses line breaks by hand forgets the directions."""
    by_hand = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "portal").rglob("*.py")
        if "AfterValidator(one_line)" in path.read_text() and path.name not in {"shapes.py", "phones.py"}
    ]
    assert by_hand == []
