"""Passwords: long enough, not everybody's, otherwise free."""

from __future__ import annotations

import pytest
from flask import Flask

from portal.core.errors import Invalid
from portal.domain.identity import passwords


@pytest.fixture(autouse=True)
def the_usual_settings(app: Flask) -> None:
    """The shortest length and the rest are what the application was made with."""


@pytest.mark.parametrize(
    "password",
    ["seven green boats", "correcthorse", "       x1y2z3       ", "كلمة سر طويلة", "éàçèéàçè!", "x" * 4 + "yzéè" * 60],
)
def test_no_rules_of_composition(password: str) -> None:
    assert passwords.matches(password, passwords.accept(password))


@pytest.mark.parametrize(
    ("password", "code"),
    [
        ("seven77", "password_short"),
        ("x" * 257, "password_long"),
        ("password1", "password_common"),
        ("PassWord1", "password_common"),
        ("iloveyou", "password_common"),
        ("aaaaaaaaaaaa", "password_common"),
        ("121212121212", "password_common"),
        ("123456789012", "password_common"),
        ("abcdefghijkl", "password_common"),
        ("amina.boudiaf", "password_common"),
        ("Amina.Boudiaf@example.dz", "password_common"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, code: str) -> None:
    with pytest.raises(Invalid) as no:
        passwords.accept(password, "amina.boudiaf@example.dz", "Amina", "Boudiaf")
    assert no.value.code == code
    assert no.value.fields["password"]


def test_the_shortest_length_is_a_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_minimum", 14)
    with pytest.raises(Invalid):
        passwords.accept("thirteen char")
    assert passwords.accept("fourteen chars")


def test_every_keyboard_types_the_same_password() -> None:
    stored = passwords.accept("caf\u00e9 caf\u00e9 caf\u00e9")
    assert passwords.matches("cafe\u0301 cafe\u0301 cafe\u0301", stored)


def test_nothing_matches_an_account_without_a_password() -> None:
    assert not passwords.matches("nobody has this password", None)
    assert not passwords.matches("", None)


def test_what_is_stored_is_argon2id_and_says_when_it_is_outdated(strong_passwords: None) -> None:
    stored = passwords.accept("seven green boats")
    assert stored.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert not passwords.outdated(stored)
    assert passwords.outdated(stored.replace("m=19456", "m=8192"))


def test_text_that_is_no_text_is_only_wrong() -> None:
    assert not passwords.matches("\ud800", passwords.accept("seven green boats"))
