"""The form in which names are compared: without accents, case, punctuation, and the differences between spellings.

One table of letters, asked by `fold` in Python and written into `fold_name`, the function in PostgreSQL from which the
columns `search_name` are generated; a property test holds the two to one answer. Changing the table means a migration
that replaces the function and rewrites those columns.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import chain

from portal.core.unseen import is_unseen

FUNCTION = "fold_name"
# Arabic letters that people, keyboards and imported lists write for one another, and Hebrew's final forms.
_ONE_FOR_ANOTHER = {
    **dict.fromkeys("\u0671\u0672\u0673\u0675", "\u0627"),  # alef; those with hamza and madda lose it by decomposition
    **dict.fromkeys("\u0649\u06cc\u06cd\u06ce\u06d0\u06d1\u06d2", "\u064a"),  # alef maksura, Persian and Urdu yeh
    **dict.fromkeys("\u06a9\u06aa\u06ac\u06ad\u06ae", "\u0643"),  # Persian and other kaf
    **dict.fromkeys("\u0629\u06be\u06c1\u06c3\u06d5\u06ff", "\u0647"),  # teh marbuta, Urdu heh
    **dict(zip("ךםןףץ", "כמנפצ", strict=True)),
}
# Letters of Latin alphabets that neither decompose nor are called "… WITH …" after another.
_LATIN = {
    "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i", "ȷ": "j", "ĸ": "k",
    "ŋ": "n", "ə": "e", "ɛ": "e", "ɣ": "g", "ɔ": "o", "ꜵ": "ao", "ꝏ": "oo", "ȣ": "ou", "ꜩ": "tz", "ƿ": "w",
}  # fmt: skip
# Apostrophes of whichever keyboard, and letters and accents used as one: M'hamed, M’hamed and Mhamed are one name.
_APOSTROPHES = frozenset("'`\u00b4\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u02ca\u02cb\u055a\u2018\u2019\u201a\u201b"
                         "\u2032\u2035\ua78b\ua78c\uff07")  # fmt: skip
_TATWEEL = "\u0640"
# Where there is something else than Han characters and Hangul syllables, each with the first of them; then the tags.
_MIXED = (range(1, 0x3401), range(0x4DC0, 0x4E01), range(0xA000, 0x20001), range(0xE0000, 0xE1000))
_BEYOND = r"\U000323b0-\U000dffff\U000e1000-\U0010ffff"
_CALLED_AFTER = re.compile(r"LATIN SMALL LETTER ([A-Z]) WITH .+")
_NOT_WORD = re.compile(r"[\W_]+")


def fold(*parts: str | None) -> str:
    """The form under which names are stored for search and in which a query is compared with them. Idempotent."""
    text = unicodedata.normalize("NFKD", " ".join(part for part in parts if part))
    return _NOT_WORD.sub(" ", "".join(map(_letter, text))).strip(" ")


def folded(*columns: str, most: int) -> str:
    """SQL: these columns folded together, at most so many characters."""
    together = " || ' ' || ".join(columns)
    return f"left({FUNCTION}({together}), {most})"


def function() -> str:
    """SQL that makes or replaces `fold_name(text)`, which folds as `fold` does."""
    letters = {char: _letter(char) for char in _decomposed()}
    other = {char: plain for char, plain in letters.items() if plain not in {char, ""}}
    one = {char: plain for char, plain in other.items() if len(plain) == 1}
    gone = _ranges(letters, lambda char: not letters[char])
    between = _ranges((char for char in letters if letters[char] == char), lambda char: bool(_NOT_WORD.match(char)))
    text = f"regexp_replace(normalize($1, NFKD) COLLATE \"C\", '[{gone}]+', '', 'g')"
    for char in other.keys() - one.keys():
        text = f"replace({text}, '{char}', '{other[char]}')"
    text = f"translate({text}, '{''.join(one)}', '{''.join(one.values())}')"
    text = f"btrim(regexp_replace({text}, '[{between}{_BEYOND}]+', ' ', 'g'), ' ')"
    promises = "LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE"
    return f"CREATE OR REPLACE FUNCTION {FUNCTION}(text) RETURNS text {promises} RETURN {text}"


@cache
def _letter(char: str) -> str:
    """What stands for one character of a decomposed text; nothing for a mark, an apostrophe, what shows nothing."""
    if char in _APOSTROPHES or char == _TATWEEL or unicodedata.combining(char) or is_unseen(char):
        return ""
    if (digit := unicodedata.decimal(char, None)) is not None:
        return str(digit)
    small = char.casefold()
    if small != char:
        return "".join(_letter(one) for one in unicodedata.normalize("NFKD", small))
    called_after = _CALLED_AFTER.fullmatch(unicodedata.name(char, ""))
    return _ONE_FOR_ANOTHER.get(char) or _LATIN.get(char) or (called_after[1].lower() if called_after else char)


def _decomposed() -> Iterator[str]:
    """The characters that a decomposed text may hold and PostgreSQL can, without those that stay as they are."""
    for code in chain(*_MIXED):
        if not 0xD800 <= code <= 0xDFFF and unicodedata.is_normalized("NFKD", chr(code)):
            yield chr(code)


def _ranges(chars: Iterable[str], wanted: Callable[[str], bool]) -> str:
    """Those that are wanted as a class; a range may run over what is not among `chars`."""
    ranges: list[list[str]] = []
    goes_on = False
    for char in chars:
        if (is_wanted := wanted(char)) and goes_on:
            ranges[-1][1] = char
        elif is_wanted:
            ranges.append([char, char])
        goes_on = is_wanted
    return "".join(f"\\U{ord(first):08x}-\\U{ord(last):08x}" for first, last in ranges)
