"""Templates keep their promises: a fragment has one root with an id, a page a layout, nothing the CSP would refuse."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask import Flask

from tests.rules.source import TEMPLATES, modules, texts

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
PART_OF_THE_FRAME = {"layouts/_account.html"}  # included by every layout, never an answer of its own
FRAMES = ("layouts/", "components/")
MAIL = (
    "mail/",
    "layouts/mail",
    "components/mail",
)  # mail programs know no stylesheets; the browser never shows these as pages
FILES = {path.relative_to(TEMPLATES).as_posix(): path for path in sorted(TEMPLATES.rglob("*.html"))}
SEEN = [name for name in FILES if not name.startswith(MAIL)]
FRAGMENTS = [name for name in SEEN if Path(name).name.startswith("_") and name not in PART_OF_THE_FRAME]

_MACRO = re.compile(r"{%-?\s*macro\b.*?endmacro\s*-?%}", re.S)
_JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.S)
_REMARK = re.compile(r"{#.*?#}", re.S)


def read(name: str) -> str:
    """A template without its remarks."""
    return _REMARK.sub("", FILES[name].read_text(encoding="utf-8"))


def only_defines(name: str) -> bool:
    """Whether a template holds macros and nothing that is shown by itself."""
    return "{% extends" not in read(name) and not _JINJA.sub("", _MACRO.sub("", read(name))).strip()


PAGES = [
    name
    for name in FILES
    if not Path(name).name.startswith("_") and not name.startswith(FRAMES) and not only_defines(name)
]


class Roots(HTMLParser):
    """The ids of the elements that stand in no other; None for one without, text for what stands beside them."""

    def __init__(self, template: str) -> None:
        super().__init__(convert_charrefs=True)
        self.depth, self.ids, self.beside = 0, list[str | None](), ""
        self.feed(_JINJA.sub(lambda found: "x" if found[0].startswith("{{") else "", _MACRO.sub("", template)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.ids.append(dict(attrs).get("id"))
        self.depth += tag not in VOID

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self.depth == 0:
            self.ids.append(dict(attrs).get("id"))

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag not in VOID

    def handle_data(self, data: str) -> None:
        if self.depth == 0:
            self.beside += data.strip()


@pytest.mark.parametrize("name", FRAGMENTS)
def test_a_fragment_has_exactly_one_root_and_it_has_an_id(name: str) -> None:
    """Branches may each write the root, then under one id; HTMX swaps it for itself."""
    roots = Roots(read(name))
    assert roots.ids and None not in roots.ids and len(set(roots.ids)) == 1, roots.ids
    assert roots.beside == ""
    assert "{% extends" not in read(name) and "{%- extends" not in read(name)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_stands_in_a_layout(name: str) -> None:
    assert re.search(r'{%-?\s*extends\s+"(layouts/[\w/]+\.html)"', read(name)), "no layout"


@pytest.mark.parametrize("name", SEEN)
def test_a_template_holds_nothing_the_csp_refuses(name: str) -> None:
    source = _JINJA.sub("", read(name))
    assert re.findall(r"\sstyle\s*=|<style\b", source) == []
    assert re.findall(r"\son[a-z]+\s*=|\shx-on|javascript:|\shx-vals\s*=\s*['\"]js:", source, re.I) == []
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script>", read(name), re.S)
    assert all("src=" in about and "csp_nonce" in about and not inside.strip() for about, inside in scripts)
    assert re.findall(r'(?:src|href|action)="https?://', read(name)) == []


@pytest.mark.parametrize("name", SEEN)
def test_a_form_that_posts_carries_its_token(name: str) -> None:
    for about, inside in re.findall(r"<form\b([^>]*)>(.*?)</form>", read(name), re.S | re.I):
        if re.search(r'method="post"', about, re.I):
            assert re.search(r"csrf_token|csrf\(", inside), about


def test_every_address_a_template_names_exists(app: Flask) -> None:
    """One that begins with a dot is meant in the blueprint that shows the page."""
    known = {*app.view_functions, *(f".{name.rpartition('.')[2]}" for name in app.view_functions)}
    named = {
        (name, endpoint)
        for name in FILES
        for endpoint in re.findall(r"""url_for\(\s*["']([\w.]+)["']""", read(name))
        if endpoint not in known
    }
    assert {one for one in named if not one[1].startswith("dev.")} == set()


def test_every_template_that_is_named_exists(app: Flask) -> None:
    named = re.compile(r"[a-z_]+(?:/[a-z_]+)*/[\w]+\.(?:html|txt)")
    wanted = {
        (path, text) for path, tree in modules().items() for _line, text in texts(tree) if named.fullmatch(text)
    } | {
        (name, other)
        for name in FILES
        for other in re.findall(r"""(?:extends|include|import|from)\s+["']([\w/]+\.\w+)["']""", read(name))
    }
    assert {one for one in wanted if not (TEMPLATES / one[1]).exists()} == set()
    assert len(wanted) > 20


@pytest.mark.parametrize("name", sorted(FILES))
def test_every_template_compiles(app: Flask, name: str) -> None:
    assert app.jinja_env.get_template(name)


@pytest.mark.parametrize(
    ("template", "ids"),
    [
        ('<div id="a"><p>x</p><br></div>', ["a"]),
        ('<div id="a"></div><p></p>', ["a", None]),
        ('{% if x %}<a id="a"></a>{% else %}<b id="a"></b>{% endif %}', ["a", "a"]),
        ('{% macro m() %}<p></p>{% endmacro %}<img id="a">', ["a"]),
        ('<div id="{{ key }}" {{ more }}></div>', ["x"]),
    ],
)
def test_roots_are_counted(template: str, ids: list[str | None]) -> None:
    assert Roots(template).ids == ids


def test_what_is_nudged_while_it_is_being_fetched_is_fetched_again() -> None:
    """A part that replaces itself would lose the nudge that waits for its answer, which is older than the nudge."""
    asking = re.compile(r"<[^>]*hx-get=[^>]*hx-trigger=\"[^\"]*sse:[^>]*>")
    deaf = [
        f"{path.relative_to(TEMPLATES)}: {tag[:80]}"
        for path in TEMPLATES.rglob("*.html")
        for tag in asking.findall(path.read_text(encoding="utf-8"))
        if 'hx-sync="this:replace"' not in tag
    ]
    assert deaf == []


@pytest.mark.parametrize("name", sorted(FILES))
def test_attributes_are_written_by_the_filter_that_drops_false(name: str) -> None:
    assert "xmlattr" not in read(name)


def test_an_attribute_that_is_false_or_nothing_is_not_written(app: Flask) -> None:
    """A boolean attribute is set by any value: autofocus="False" puts the focus there."""
    macros = app.jinja_env.get_template("components/form.html").module
    with app.test_request_context():
        button = macros.submit("Book", autofocus=False, disabled=None, formnovalidate=True, data_n=0)  # type: ignore[attr-defined]
    assert re.findall(r"autofocus|disabled", button) == []
    assert 'formnovalidate=""' in button and 'data_n="0"' in button


@pytest.mark.parametrize("name", [name for name in SEEN if name in FRAGMENTS or name.startswith("components/")])
def test_a_live_region_stands_outside_of_what_is_swapped(name: str) -> None:
    """One that comes with its words says nothing; data-spoken has the announcer of the layout say them."""
    assert "aria-live" not in read(name)


def test_what_changes_a_visit_is_offered_where_the_domain_says_it_can_be_done() -> None:
    """A link to move or cancel stands behind can_move or can_cancel, which the pages behind it ask as well."""
    link = re.compile(r"url_for\(\s*['\"](?:patient|doctor|desk)\.(?:move|cancel)['\"]")
    asked = re.compile(r"{%-?\s*(?:el)?if [^%]*(?:can_move|can_cancel|is_open|may_cancel)")
    bare = {
        f"{name}: {line.strip()[:80]}"
        for name in SEEN
        if not re.search(r"/_?(?:move|cancel)\.html$", name)
        for line in read(name).splitlines()
        if link.search(line) and not asked.search(line) and "cancelling(" not in line  # in a dialog behind can_cancel
    }
    assert bare == set()
