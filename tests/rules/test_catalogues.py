"""Every sentence is said in every language: extracted from code and templates, and translated whole."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog

from portal.translations import catalogue
from tests.rules.source import PORTAL, TEMPLATES, dotted, modules

IN_ENGLISH = ("api/", "layouts/document.html")  # reading pages for programmers
SHOWN = ("title", "alt", "placeholder", "aria-label", "aria-description", "label")
NO_SENTENCE = re.compile(
    r"{% block (?:\w*attributes|density) %}.*?{% endblock %}|{#.*?#}|{%.*?%}|{{.*?}}|<!--.*?-->"
    r"|<script.*?</script>|<style.*?</style>|<svg.*?</svg>",
    re.S,
)
ATTRIBUTE = re.compile(r'[\w:-]+="[^"]*"')  # a macro or block may write only attributes
ASKING = {"_", "say", "gettext", "ngettext", "pgettext", "text.gettext", "text.ngettext", "text.pgettext"}
NAMES = {"HTML", "DOCTYPE", "UTC", "AM", "PM"}


@pytest.fixture(scope="module")
def source() -> Catalog:
    return catalogue.extract()


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
def test_every_sentence_is_translated_whole(language: str, source: Catalog) -> None:
    wrong = list(catalogue.faults(language, source))
    assert wrong == [], f"{len(wrong)} sentences; run python -m portal.translations"


def test_sentences_name_their_values(source: Catalog) -> None:
    """%s cannot change places in a translation; a lone per cent sign breaks a sentence with values."""
    assert [one.id for one in source if one.id and "%" in catalogue._values(one.id)] == []


def test_sentences_are_found_where_they_are_written(source: Catalog) -> None:
    """The extractor looks into code, templates and letters."""
    for said in ("This time has passed.", "Skip to content", "Some answers need another look."):
        assert source.get(said) is not None, said
    assert source.get("%(n)s minute") is not None and len(source) > 300


def test_no_sentence_is_asked_for_inside_another_string() -> None:
    """Before Python 3.12 the extractor does not look into f-strings: such a sentence would stay English."""
    hidden = [
        f"{path}:{call.lineno}"
        for path, tree in modules().items()
        for text in ast.walk(tree)
        if isinstance(text, ast.JoinedStr)
        for call in ast.walk(text)
        if isinstance(call, ast.Call) and dotted(call.func) in ASKING and isinstance(call.args[0], ast.Constant)
    ]
    assert hidden == []


def words_outside(template: str) -> list[str]:
    """Words a template says without asking for a translation, in its text and in attributes that are read out."""
    bare = NO_SENTENCE.sub(" ", template)
    said = ATTRIBUTE.sub(" ", re.sub(r"<[^>]*>", " ", bare))
    for name in SHOWN:
        said += " ".join(match[1] for match in re.finditer(rf'\s{name}="([^"]*)"', bare))
    said = re.sub(r"&\w+;", " ", said)
    return [word for word in re.findall(r"[^\W\d_]{2,}", said) if word not in NAMES]


@pytest.mark.parametrize(
    "path",
    [
        path
        for path in sorted(TEMPLATES.rglob("*.html"))
        if not path.relative_to(TEMPLATES).as_posix().startswith(IN_ENGLISH)
    ],
    ids=lambda path: Path(path).relative_to(TEMPLATES).as_posix(),
)
def test_a_template_says_nothing_untranslated(path: Path) -> None:
    assert words_outside(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>{{ _('Hello') }}</p>", []),
        ("<p>Hello {{ name }}</p>", ["Hello"]),
        ('<img alt="A doctor" src="x y">', ["doctor"]),
        ('<img alt="{{ name }}">', []),
        ("{# a remark #}<b>&nbsp;</b>", []),
    ],
)
def test_the_rule_finds_bare_words(template: str, words: list[str]) -> None:
    assert words_outside(template) == words


def test_no_template_sets_a_colon_between_two_values_by_its_own_hand() -> None:
    """French sets a space before it, and Arabic isolates what follows: `labelled(label, value)` does both."""
    own = re.compile(r"\}\}\)?: ?(?:\{\{|</|$).*", re.M)
    found = {path.name: own.findall(path.read_text(encoding="utf-8")) for path in TEMPLATES.rglob("*.*")}
    assert {name: lines for name, lines in found.items() if lines} == {}


HAND_WRITTEN = re.compile(r"""\}\}[,;،] ?\{\{|~ ["'][,;] ?["']|["'][,;] ["'] if not loop|join\(["'][,;]""")
# what no reader sees as a sentence: SQL, headers, the command line, and hours as a form reads them back
PROGRAMS = (
    "checkup.py", "cli.py", "__main__.py", "config.py", "core/", "api/", "demo/", "translations/",
    "domain/patients/models.py", "web/day_steps.py", "web/admin/clinic_forms.py",
)  # fmt: skip


def test_no_comma_or_colon_between_two_values_is_written_by_hand() -> None:
    """Every language has its own: `listed` for "a, b and c", `beside` for a name and its city, `labelled`."""
    found = [
        f"{path.relative_to(TEMPLATES)}: {hit[0]}"
        for path in sorted([*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.txt")])
        if not path.relative_to(TEMPLATES).as_posix().startswith((*IN_ENGLISH, "admin/audit/"))
        for hit in HAND_WRITTEN.finditer(path.read_text(encoding="utf-8"))
    ]
    found += [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        if not path.removeprefix("portal/").startswith(PROGRAMS)
        for node in ast.walk(tree)
        if any(map(_is_sign, _between(node)))
    ]
    assert found == []


def _between(node: ast.AST) -> list[ast.expr]:
    """What a piece of code writes between values: the middle of an f-string, the string that joins."""
    if isinstance(node, ast.JoinedStr):
        return node.values[1:-1]
    joins = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "join"
    return [node.func.value] if joins else []


def _is_sign(part: ast.expr) -> bool:
    return isinstance(part, ast.Constant) and part.value in {", ", "; ", ": "}


FILLED = re.compile(r"""(?:_|say|gettext)\(\s*"([^"]*)"((?:[^()]|\([^()]*\)){0,200})""")
SHOWS = re.compile(r"(\w+)=(?:text\.|times\.)?format_(time|date|day|datetime)\(")


def test_a_date_and_a_time_of_day_never_share_a_sentence() -> None:
    """French says "jusqu’au lundi" and "jusqu’à 09:30", "depuis le" and "depuis": one sentence cannot be both."""
    found: dict[tuple[str, str], set[bool]] = {}
    for path in sorted([*TEMPLATES.rglob("*.html"), *TEMPLATES.rglob("*.txt"), *PORTAL.rglob("*.py")]):
        for sentence, values in FILLED.findall(path.read_text(encoding="utf-8")):
            for name, shown in SHOWS.findall(values):
                found.setdefault((sentence, name), set()).add(shown == "time")
    assert len(found) > 30
    assert [key for key, kinds in found.items() if len(kinds) > 1] == []


def test_a_telephone_number_in_an_arabic_sentence_is_read_from_left_to_right() -> None:
    """Without the marks the plus sign of +213 lands at the wrong end, and in a letter of plain text no tag helps."""
    said = [one.string for one in catalogue.read("ar") if one.id and "%(phone)s" in str(one.string)]
    assert said and all("\u200e%(phone)s\u200e" in one for one in said)


def test_a_faulty_translation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    source, said = Catalog(), Catalog(locale="ar")
    for message in ("one", "two %(name)s", "three", ("%(n)s day", "%(n)s days"), "five"):
        source.add(message)
    said.add("two %(name)s", "deux %(nom)s")
    said.add("three", "trois", flags=["fuzzy"])
    said.add(("%(n)s day", "%(n)s days"), ("a", "b"))
    said.add("five", "")
    said.add("six", "six")
    monkeypatch.setattr(catalogue, "read", lambda language: said)
    wrong: list[Any] = list(catalogue.faults("ar", source))
    assert wrong == [
        "not in the catalogue: one",
        "other values than the sentence has (name, nom): two %(name)s",
        "guessed: three",
        "2 plural forms instead of 6: %(n)s day",
        "not translated: five",
        "nobody says this any more: six",
    ]
