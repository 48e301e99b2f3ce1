"""A name holds nothing that becomes a link, hides, or turns the direction of what follows."""

from __future__ import annotations

import pytest

from portal.core import names
from portal.core.errors import Invalid
from portal.core.shapes import Name, Shape


class Form(Shape):
    name: Name


@pytest.mark.parametrize(
    "typed",
    [
        "http://evil.example", "https:evil", "evil.example/free", "win@evil.example", "www.evil", "evil.com", "a.io",
        "<b>", "back\\slash", "one\ntwo", "one\x85two", "one\u2028two", "bell\x07", "C:", "\u200b", "\u202e \u2066",
    ],
)  # fmt: skip
def test_a_name_is_refused_when_a_mail_program_could_make_a_link_of_it(typed: str) -> None:
    for read in (lambda: Form.parse({"name": typed}), lambda: Form.parse_json(_json(typed))):
        with pytest.raises(Invalid):
            read()


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Amina", "Amina"),
        ("Ben Ali-O’Brien", "Ben Ali-O’Brien"),
        ("M'hamed", "M'hamed"),
        ("J. R. R.", "J. R. R."),
        ("Jr.", "Jr."),
        ("أمينة", "أمينة"),
        ("\u200fأمينة\u200f", "أمينة"),
        ("\u2068Amina\u2069", "Amina"),
        ("A\u202emina", "Amina"),
        ("Ami\u200bna\ufeff", "Amina"),
        ("علی\u200cرضا", "علی\u200cرضا"),
        ("\u200cعلی\u200c", "علی"),
        ("क\u094d\u200dष", "क\u094d\u200dष"),
    ],
)
def test_what_nobody_sees_is_left_out_and_every_spelling_stays(typed: str, kept: str) -> None:
    assert Form.parse({"name": typed}).name == kept
    read = Form.parse_json(_json(typed))
    assert read is not None
    assert read.name == kept


@pytest.mark.parametrize(
    ("text", "name"),
    [("Lab/Radiology: results", "Lab Radiology results"), ("portal.example", "portal. example"), ("://", "")],
)
def test_any_text_can_be_made_a_name(text: str, name: str) -> None:
    assert names.cleaned(text) == name


def _json(typed: str) -> bytes:
    return Form.model_construct(name=typed).model_dump_json().encode()
