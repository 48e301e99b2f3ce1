"""What comes in is clean, or is refused field by field in sentences."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import AwareDatetime, Field

from portal.core.errors import Invalid
from portal.core.shapes import _FIXED, Empty, Limit, Line, MaybeLine, Name, Secret, Shape, Text, fault
from portal.core.text import gettext


class Form(Shape):
    name: Name
    note: Text = ""
    born: Annotated[date | None, Empty] = None
    nick: MaybeLine = None


class Others(Shape):
    id: UUID | None = None
    at: AwareDatetime | None = None
    number: Annotated[int, Field(ge=1, le=5)] = 1
    secret: Secret = "x"
    line: Line = "x"
    limit: Limit = 25


def test_text_is_trimmed_and_missing_answers_have_their_default():
    form = Form.parse({"name": "  Amina ", "note": " two words "})
    assert form.values() == {"name": "Amina", "note": "two words", "born": None, "nick": None}
    assert form.given() == {"name": "Amina", "note": "two words"}


def test_an_empty_field_of_a_form_is_nothing():
    form = Form.parse({"name": "Amina", "born": " ", "nick": ""})
    assert (form.born, form.nick) == (None, None)


def test_a_password_is_taken_as_it_was_typed():
    assert Others.parse({"secret": " two  spaces "}).secret == " two  spaces "


def test_a_key_nobody_asked_for_is_refused():
    assert _faults(Form, {"name": "Amina", "role": "admin"}) == {"role": "This field is not known here."}


def test_every_wrong_field_gets_its_own_sentence():
    said = _faults(Form, {"name": "", "born": "yesterday", "note": "x" * 4001})
    assert said == {
        "name": "Please fill this in.",
        "born": "Please write a date, such as 2026-03-31.",
        "note": "This is too long: at most 4000 characters.",
    }


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("id", "7", "This is not one of the choices."),
        ("at", "2026-03-31T09:30:00", "Please say which offset from UTC this time has, such as +01:00."),
        ("at", "soon", "Please write a date and time with its offset, such as 2026-03-31T09:30:00+01:00."),
        ("number", "many", "Please write a whole number."),
        ("number", 0, "This must be at least 1."),
        ("number", 6, "This must be at most 5."),
        ("line", "two\nlines", "Please write this on one line."),
        ("line", "Subject\r\nBcc: all@example.dz", "Please write this on one line."),
        ("line", "nul\x00", "Some characters in this text cannot be used."),
        ("secret", "lone \ud800 surrogate", "Some characters in this text cannot be used."),
        ("limit", 101, "This must be at most 100."),
    ],
)
def test_the_sentence_says_what_to_do(field, value, said):
    assert _faults(Others, {field: value}) == {field: said}


def test_a_missing_answer_is_asked_for():
    assert _faults(Form, {}) == {"name": "Please fill this in."}


def test_a_time_keeps_its_offset():
    assert Others.parse({"at": "2026-03-31T09:30:00+01:00"}).at == datetime.fromisoformat("2026-03-31T08:30:00+00:00")


def test_clean_values_cannot_be_changed_afterwards():
    form = Form.parse({"name": "Amina"})
    with pytest.raises(Exception, match="frozen"):
        form.name = "Yacine"


def test_a_validator_speaks_our_own_sentence():
    assert str(fault("odd", gettext("Please look again."))) == "Please look again."


def test_in_json_nothing_is_null_and_a_date_is_read_from_its_text():
    said = Form.parse_json(b'{"name": "Amina", "born": "1990-05-17", "nick": null}')
    assert said is not None
    assert (said.born, said.nick) == (date(1990, 5, 17), None)
    with pytest.raises(Invalid) as refused:
        Form.parse_json(b'{"name": "Amina", "born": ""}')
    assert set(refused.value.fields) == {"born"}


def _faults(shape: type[Shape], data: dict) -> dict:
    with pytest.raises(Invalid) as refused:
        shape.parse(data)
    assert refused.value.status == 422
    return {name: str(sentence) for name, sentence in refused.value.fields.items()}


def _every_text() -> list[tuple[type[Shape], str]]:
    """Each text field of everything that comes in."""
    texts, ahead = list[tuple[type[Shape], str]](), [Shape]
    while ahead:
        one = ahead.pop()
        ahead += one.__subclasses__()
        if one.__module__.startswith("portal."):
            about = one.model_json_schema()["properties"] if one.model_fields else {}
            texts += [(one, name) for name, said in about.items() if said.get("type") == "string"]
    return texts


def test_a_text_of_a_wrong_length_is_never_told_to_choose(app: Any) -> None:
    """Of a text that a function looks at before, pydantic says what it says of a list."""
    of_lists = {str(_FIXED["too_short"]), str(_FIXED["too_long"])}
    told = {}
    for shape, name in _every_text():
        for entered in ("", "x", "x" * 20_000):
            try:
                shape.parse({name: entered})
            except Invalid as no:
                if no.fields.get(name) in of_lists:
                    told[f"{shape.__name__}.{name}"] = no.fields[name]
    assert told == {}
    assert len(_every_text()) > 100
