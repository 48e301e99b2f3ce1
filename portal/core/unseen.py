"""Characters that show nothing or turn the direction of a line, known once: for names, lines and e-mail addresses."""

from __future__ import annotations

import re
import unicodedata

JOINERS = "\u200c\u200d"  # between letters these belong to the spelling of Persian and Indic names, and of pictures
# Default_Ignorable_Code_Point (Unicode, DerivedCoreProperties) beside the format characters, category Cf.
_IGNORED = (
    (0x034F, 0x034F), (0x115F, 0x1160), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2065, 0x2065), (0x3164, 0x3164),
    (0xFE00, 0xFE0F), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFF8), (0xE0000, 0xE0FFF),
)  # fmt: skip
# What has no business in a line, as a class for the regular expressions of Python and of PostgreSQL: soft hyphen, marks
# and overrides of direction (Unicode UAX 9), zero-width space, word joiner and their kin, fillers, Braille's blank.
# Variation selectors (U+FE00 to U+FE0F) and joiners are not in it: they choose between forms of what is beside them.
NOT_IN_A_LINE = (
    r"\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164"
    r"\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff"
)
_NOT_IN_A_LINE = re.compile(f"[{NOT_IN_A_LINE}]")


def is_unseen(char: str) -> bool:
    """Whether it shows nothing by itself and takes no place (a space takes one)."""
    if char.isascii():
        return False
    return unicodedata.category(char) == "Cf" or any(first <= ord(char) <= last for first, last in _IGNORED)


def left_out(text: str) -> str:
    """The text without what has no business in a line; a joiner stays where it stands between letters or pictures."""
    text = _NOT_IN_A_LINE.sub("", text)
    return "".join(char for place, char in enumerate(text) if char not in JOINERS or _joins(text, place))


def shows(text: str) -> bool:
    """Whether anything of it can be seen: a letter, a digit, a sign; spaces and marks without a letter show nothing."""
    return any(unicodedata.category(char)[0] in "LNPS" and not is_unseen(char) and char != "\u2800" for char in text)


def _joins(text: str, place: int) -> bool:
    around = (text[place - 1 : place], text[place + 1 : place + 2])
    return all(
        char and (unicodedata.category(char)[0] in "LM" or unicodedata.category(char) == "So") for char in around
    )
