"""A telephone number is what can be called in its country; nothing is made of what is none."""

from __future__ import annotations

from typing import Any

import pytest

from portal.core import phones
from portal.core.errors import Invalid
from portal.core.phones import Phone
from portal.core.shapes import Shape


class Form(Shape):
    phone: Phone = ""


class WithCountry(Shape):
    country: str
    phone: Phone = ""


@pytest.fixture(autouse=True)
def _in_algeria() -> Any:
    with phones.at("DZ"):
        yield


@pytest.mark.parametrize(
    "written",
    ["0550 12 34 56", "0550123456", "+213 550 12 34 56", "00213550123456", "(0550) 12-34-56", "0550.12.34.56",
     "٠٥٥٠١٢٣٤٥٦", "۰۵۵۰۱۲۳۴۵۶", "\u202a+213 550 12 34 56\u202c", "＋213550123456", "0550/12/34/56", "0550–12–34–56"],
)  # fmt: skip
def test_a_number_is_one_however_it_is_written(written: str) -> None:
    assert Form.parse({"phone": written}).phone == "+213550123456"


@pytest.mark.parametrize(
    ("written", "because"),
    [
        ("0550ABCDEF", "digits only"), ("call me", "digits only"), ("0550 12 34 56 (Karim)", "digits only"),
        ("0550 12 34 56 ext. 12", "extension"), ("0550123456x12", "extension"), ("0550123456;ext=3", "extension"),
        ("0550 12 34 56 poste 4", "extension"), ("0550123456#2", "extension"),
        ("12", "too short"), ("05501234", "no such number"), ("055012345", "no such number"),
        ("+2135501234", "too short"),
        ("0550123456789012", "too long"), ("055012345678", "too long"), ("0550123456 0660123456", "too long"),
        ("0150123456", "no such number"), ("+999 123456789", "country code"), ("+33 0 00 00 00 00", "no such number"),
        ("-", "too short"), ("+", "too short"),
    ],
)  # fmt: skip
def test_what_is_no_number_is_refused_with_what_is_wrong(written: str, because: str) -> None:
    with pytest.raises(Invalid) as no:
        Form.parse({"phone": written})
    assert because in no.value.fields["phone"]


def test_nothing_stays_nothing() -> None:
    assert Form.parse({"phone": ""}).phone == Form.parse({"phone": " \u200f"}).phone == ""


def test_a_number_is_meant_in_the_country_of_the_place() -> None:
    with phones.at("TN"):
        assert Form.parse({"phone": "20 123 456"}).phone == "+21620123456"
    assert Form.parse({"phone": "20 123 456"}).phone == "+21320123456"
    assert WithCountry.parse({"country": "FR", "phone": "06 12 34 56 78"}).phone == "+33612345678"


def test_what_was_kept_is_taken_again_everywhere() -> None:
    for country in ("FR", "TN", ""):
        with phones.at(country):
            assert phones.e164(phones.e164("+213550123456")) == "+213550123456"


def test_no_request_leaves_its_country_behind(client: Any, nadia: Any, el_djazair: Any) -> None:
    client.sign_in(nadia).get("/desk")
    assert phones._asked.get()() == ""
