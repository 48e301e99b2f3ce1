"""One address however it is written, one place however its address is written."""

from __future__ import annotations

import unicodedata
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from portal.core import places
from portal.core.emails import is_same, normalise

QUICK = settings(max_examples=80, deadline=None)
INVISIBLE = "\u200b\u200e\u2060\ufeff\u00ad\ufe0f\u034f\U000e0061"
LOCAL = some.text("abcxyzéèñüÅıßσ0129.+_-Ｑｗ", min_size=1, max_size=12)
DOMAIN = some.sampled_from(
    ["example.dz", "bücher.example", "مثال.example", "faß.example", "ΑΒΓ.example", "ex-ample.dz"]
)


def other_case(char: str) -> str:
    """Its capital or small letter, where that is one letter whose own is this one again."""
    other = char.swapcase()
    return other if len(other) == 1 and other.swapcase() == char else char


@QUICK
@given(some.text(max_size=40))
def test_what_is_normalised_stays_as_it_is(written: str) -> None:
    assert normalise(normalise(written)) == normalise(written)


@QUICK
@given(LOCAL, DOMAIN, some.sampled_from(["NFC", "NFD"]), some.randoms(use_true_random=False))
def test_all_spellings_of_one_address_are_one(local: str, domain: str, form: str, dice: Random) -> None:
    plain = f"{local}@{domain}"
    written = "".join(
        (other_case(one) if dice.random() < 0.4 else one) + (dice.choice(INVISIBLE) if dice.random() < 0.2 else "")
        for one in unicodedata.normalize(form, plain)
    )
    assert normalise(dice.choice(["", "  "]) + written + dice.choice(["", ".", " "])) == normalise(plain)


@pytest.mark.parametrize(
    "written",
    [
        "AMINA@BÜCHER.example", "amina@xn--bcher-kva.example", "Amina@XN--BCHER-KVA.Example",
        "ami\u200bna@bücher.example", "ａｍｉｎａ＠bücher.example", "amina@bu\u0308cher.example",
        "amina@bücher。example", " amina@bücher.example.", "amina@b\u00adücher.example", "amina@bü\u200dcher.example",
    ],
)  # fmt: skip
def test_case_unicode_punycode_and_what_nobody_sees_make_no_other_address(written: str) -> None:
    assert normalise(written) == "amina@bücher.example"


@pytest.mark.parametrize("other", ["amina+1@example.dz", "am.ina@example.dz", "amina@example.com", "amına@example.dz"])
def test_what_a_mail_server_may_tell_apart_stays_apart(other: str) -> None:
    assert not is_same("amina@example.dz", other)


@pytest.mark.parametrize("written", ["straße@example.de", "STRAßE@example.de"])
def test_no_letter_becomes_two_so_that_mail_still_arrives(written: str) -> None:
    assert normalise(written) == "straße@example.de"


def test_a_place_is_an_ipv4_address_or_the_64_of_an_ipv6_address() -> None:
    assert places.of("192.0.2.7") == places.of("::ffff:192.0.2.7") == "192.0.2.7"
    assert places.of("2001:db8:1:2:aaaa::1") == places.of("2001:0DB8:1:2:ffff::") == "2001:db8:1:2::"
    assert places.of("2001:db8:1:3::1") != places.of("2001:db8:1:2::1")
    assert {places.of(one) for one in (None, "", "unix:", "a name")} == {places.UNKNOWN}
