"""What may come in: one description of fields that feeds pages, the API and its documents."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Any, Self

from annotated_types import GroupedMetadata
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from portal.core import names, unseen
from portal.core.errors import Invalid
from portal.core.text import gettext as say
from portal.core.text import lazy as _


class Shape(BaseModel):
    """Base of everything that comes in: unknown keys and text that cannot be stored are refused, text is trimmed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, frozen=True)

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        """The clean values; raises Invalid with a sentence for each field that is wrong."""
        try:
            return cls.model_validate(dict(data))
        except ValidationError as wrong:
            raise Invalid(fields=sentences(wrong), code=_code(wrong)) from None

    @classmethod
    def parse_json(cls, raw: bytes) -> Self | None:
        """The clean values of a JSON text, None when it is none; strictly: "1" is not 1 and 1 is not true.

        Raises Invalid with a sentence for each field that is wrong.
        """
        try:
            return cls.model_validate_json(raw, strict=True)
        except ValidationError as wrong:
            if wrong.errors()[0]["type"] == "json_invalid":
                return None
            raise Invalid(fields=sentences(wrong), code=_code(wrong)) from None

    def given(self) -> dict[str, Any]:
        """Only what was said, for changes that leave the rest alone."""
        return {name: getattr(self, name) for name in self.model_fields_set}

    def values(self) -> dict[str, Any]:
        """All values by name, not turned into plain types."""
        return {name: getattr(self, name) for name in type(self).model_fields}


def fault(code: str, sentence: Any, **facts: Any) -> PydanticCustomError:
    """A validator's refusal with our own sentence; with is_refusal=True and nothing else wrong, `code` is answered."""
    return PydanticCustomError("portal", "{sentence}", {"sentence": sentence, "code": code, **facts})  # type: ignore[arg-type]


def storable(value: str) -> str:
    """PostgreSQL cannot store NUL and no encoding a lone surrogate: refuse both here instead of failing there."""
    if "\x00" in value or any("\ud800" <= char <= "\udfff" for char in value):
        raise fault("characters", _("Some characters in this text cannot be used."))
    return value


def one_line(value: str) -> str:
    """Text that reaches mail headers and lists: no line breaks, no control characters, and something to be seen."""
    if any(unicodedata.category(char) in {"Cc", "Zl", "Zp"} for char in value):
        raise fault("one_line", _("Please write this on one line."))
    if value and not unseen.shows(value):
        raise fault("unseen", _("Nothing of this can be seen. Please write it in letters."))
    return value


def no_address(value: str) -> str:
    """A person's name: it stands in letters, where an address would become a link."""
    if names.is_address(value):
        raise fault("name", _("Please write a name only: no : / or @, and a space after a full stop."))
    return value


def seen(value: Any) -> Any:
    """What was typed without what nobody sees or what turns a line around, which often comes along in a copy."""
    return unseen.left_out(value) if isinstance(value, str) else value


def _on_the_wall(value: time) -> time:
    """A time as a clock on the wall shows it: with an offset it could not be compared with those without."""
    if value.tzinfo:
        raise fault("wall_time", _("Opening hours are written in the clinic's own time, without an offset."))
    return value


def _nothing(value: Any) -> Any:
    """An empty field of a form is nothing, not an empty text."""
    return None if isinstance(value, str) and not value.strip() else value


class _Empty:
    """What is left empty in a form or an address is nothing. JSON has a word for nothing, null, and needs no such rule.

    It must not stand before a JSON value at all: what came as text would not be read as a date any more.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> CoreSchema:
        inner = handler(source)
        typed = core_schema.no_info_before_validator_function(_nothing, inner)
        return core_schema.json_or_python_schema(json_schema=inner, python_schema=typed)


@dataclass(frozen=True)
class OneLine(GroupedMetadata):
    """A text of one line, from `least` to `most` characters: what every name, label and title is made of."""

    most: int
    least: int = 1

    def __iter__(self) -> Iterator[Any]:
        yield from StringConstraints(min_length=self.least, max_length=self.most)
        yield AfterValidator(storable)
        yield AfterValidator(one_line)
        yield BeforeValidator(seen)


Label = Annotated[str, OneLine(80)]
Name = Annotated[Label, AfterValidator(no_address)]  # of a person, one part of it
Line = Annotated[str, OneLine(200)]
Text = Annotated[str, StringConstraints(max_length=4000), AfterValidator(storable)]
Secret = Annotated[
    str, StringConstraints(min_length=1, max_length=256, strip_whitespace=False), AfterValidator(storable)
]
Empty = _Empty()
MaybeLine = Annotated[Line | None, Empty]
MaybeLabel = Annotated[Label | None, Empty]
WallTime = Annotated[
    time,
    AfterValidator(_on_the_wall),
    PlainSerializer(lambda at: at.isoformat("minutes"), return_type=str, when_used="json"),
    WithJsonSchema({
        "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$", "examples": ["09:30"],
        "description": "Wall time of the clinic",
    }),
]  # fmt: skip
Limit = Annotated[int, Field(ge=1, le=100)]


def sentences(wrong: ValidationError) -> dict[str, str]:
    """A sentence a person can act on for each field that is wrong."""
    found: dict[str, str] = {}
    for error in wrong.errors():
        name = ".".join(str(part) for part in error["loc"] if part not in {"function-before", "function-after"}) or "_"
        found.setdefault(name, _sentence(_kind(error["type"], error.get("input")), error.get("ctx") or {}))
    return found


def _kind(kind: str, entered: Any) -> str:
    """What pydantic calls a length wrong: of a text that a function looks at before, as it would be of a list."""
    return f"string_{kind}" if kind in {"too_short", "too_long"} and isinstance(entered, str) else kind


def _code(wrong: ValidationError) -> str | None:
    """The code of the only fault, when it is one that programs tell apart; see fault(is_refusal=True)."""
    faults = [error.get("ctx") or {} for error in wrong.errors()]
    return faults[0]["code"] if len(faults) == 1 and faults[0].get("is_refusal") else None


def _sentence(kind: str, about: Mapping[str, Any]) -> str:
    if kind == "portal":
        return str(about["sentence"])
    if kind in _FIXED:
        return str(_FIXED[kind])
    if kind == "string_too_long":
        return say("This is too long: at most %(n)s characters.", n=about["max_length"])
    if kind == "string_too_short":
        if about["min_length"] == 1:
            return say("Please fill this in.")
        return say("This is too short: at least %(n)s characters.", n=about["min_length"])
    if kind in {"greater_than_equal", "greater_than"}:
        return say("This must be at least %(n)s.", n=about.get("ge", about.get("gt")))
    if kind in {"less_than_equal", "less_than"}:
        return say("This must be at most %(n)s.", n=about.get("le", about.get("lt")))
    return say("This is not a value we can use.")


_FIXED = {
    "missing": _("Please fill this in."),
    "extra_forbidden": _("This field is not known here."),
    "string_type": _("Please write this as text."),
    "string_unicode": _("Some characters in this text cannot be used."),
    "uuid_parsing": _("This is not one of the choices."),
    "uuid_type": _("This is not one of the choices."),
    "literal_error": _("This is not one of the choices."),
    "enum": _("This is not one of the choices."),
    "int_parsing": _("Please write a whole number."),
    "int_type": _("Please write a whole number."),
    "int_from_float": _("Please write a whole number."),
    "bool_parsing": _("Please say yes or no."),
    "date_from_datetime_parsing": _("Please write a date, such as 2026-03-31."),
    "date_parsing": _("Please write a date, such as 2026-03-31."),
    "date_type": _("Please write a date, such as 2026-03-31."),
    "time_parsing": _("Please write a time, such as 09:30."),
    "time_type": _("Please write a time, such as 09:30."),
    "datetime_parsing": _("Please write a date and time with its offset, such as 2026-03-31T09:30:00+01:00."),
    "datetime_from_date_parsing": _("Please write a date and time with its offset, such as 2026-03-31T09:30:00+01:00."),
    "timezone_aware": _("Please say which offset from UTC this time has, such as +01:00."),
    "datetime_type": _("Please write a date and time with its offset, such as 2026-03-31T09:30:00+01:00."),
    "value_error": _("This is not a value we can use."),
    "string_pattern_mismatch": _("This does not have the expected form."),
    "list_type": _("Please give a list."),
    "too_long": _("There are too many of these."),
    "too_short": _("Please choose at least one."),
    "float_parsing": _("Please write a number."),
    "float_type": _("Please write a number."),
}
