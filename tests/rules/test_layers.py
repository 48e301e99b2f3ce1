"""Who may know whom: the contracts of pyproject.toml, and what an import alone does not tell."""

from __future__ import annotations

import os

import pytest
from importlinter import cli

from tests.rules.source import ROOT, dotted, imports, modules, names, texts

DOORS = ("portal/web/", "portal/api/")
WEBLESS = ("portal/core/", "portal/domain/", "portal/gateways/")
ENDS_TRANSACTIONS = {"portal/core/db.py"}
READS_ENVIRONMENT = {"portal/config.py"}
SPEAKS_HTMX = {"portal/web/htmx.py"}
SPEAKS_REDIS = {
    "portal/core/live.py",
    "portal/core/limits.py",
    "portal/worker.py",
    "portal/embedded.py",
    "portal/cli.py",
}
SPEAKS_RQ = {"portal/worker.py"}


def found(inside: tuple[str, ...], wrong: object, look: object = names, spare: set[str] = frozenset()) -> list[str]:  # type: ignore[assignment]
    """Where in these folders something is that `wrong` says should not be."""
    return [
        f"{path}:{line} {what}"
        for path, tree in modules().items()
        if path.startswith(inside) and path not in spare
        for line, what in look(tree)  # type: ignore[operator]
        if wrong(what)  # type: ignore[operator]
    ]


def test_the_import_contracts_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(config_filename=os.fspath(ROOT / "pyproject.toml"), no_cache=True) == 0


def test_a_door_knows_no_database() -> None:
    """Not even the session: it could write a row. What it calls is a verb."""
    known = ("sqlalchemy", "flask_sqlalchemy", "psycopg2", "portal.core.db", "portal.core.tasks.later")
    assert found(DOORS, lambda what: what.startswith(known), imports) == []
    calls = (".execute", ".scalars", ".flush", ".add_all")
    assert found(DOORS, lambda what: what.endswith(calls)) == []


def test_a_door_writes_no_sql() -> None:
    openers = ("SELECT ", "INSERT ", "UPDATE ", "DELETE FROM ")
    assert found(DOORS, lambda text: text.lstrip().startswith(openers), texts) == []


def test_only_doors_know_the_web() -> None:
    web = ("flask", "flask_login", "flask_wtf", "jinja2", "wtforms", "htmx_flask", "authlib", "rq", "werkzeug")
    wrong = found(WEBLESS, lambda what: what.split(".")[0] in web, imports)
    assert [one for one in wrong if "flask_sqlalchemy" not in one] == []


def test_only_the_owners_of_transactions_end_them() -> None:
    assert found(("portal/",), lambda what: what.endswith((".commit", ".rollback")), spare=ENDS_TRANSACTIONS) == []


def test_a_verb_never_keeps_what_it_did() -> None:
    """Verbs flush; requests, tasks and the command line keep."""
    keepers = (
        "db.keep",
        "db.undo",
        "db.transaction",
        "portal.core.db.keep",
        "portal.core.db.undo",
        "portal.core.db.transaction",
    )
    assert found(("portal/domain/", "portal/gateways/"), lambda what: what in keepers) == []
    assert found(("portal/domain/", "portal/gateways/"), lambda what: what in keepers, imports) == []


def test_only_the_configuration_reads_the_environment() -> None:
    readers = ("os.environ", "os.getenv", "environ.get", "os.putenv")
    assert found(("portal/",), lambda what: what.startswith(readers), spare=READS_ENVIRONMENT) == []
    assert found(("portal/",), lambda what: what in {"os.environ", "os.getenv"}, imports, READS_ENVIRONMENT) == []


def test_only_one_file_speaks_htmx() -> None:
    assert found(("portal/",), lambda text: text.lower().startswith("hx-"), texts, SPEAKS_HTMX) == []


@pytest.mark.parametrize(("library", "may"), [("redis", SPEAKS_REDIS), ("rq", SPEAKS_RQ)])
def test_few_speak_to_redis_and_one_to_its_queue(library: str, may: set[str]) -> None:
    assert found(("portal/",), lambda what: what.split(".")[0] == library, imports, may) == []


def test_every_module_says_what_it_is_for() -> None:
    import ast

    assert [path for path, tree in modules().items() if tree.body and not ast.get_docstring(tree)] == []


def test_these_rules_find_what_they_look_for() -> None:
    """A rule that could not fail would be no rule."""
    import ast

    tree = ast.parse(
        "import os\nfrom sqlalchemy import select\ndef f():\n    'HX-Doc'\n    os.environ['A'] = 'HX-Trigger'\n"
    )
    assert (5, "os.environ") in list(names(tree)) and (2, "sqlalchemy.select") in list(imports(tree))
    assert [text for _, text in texts(tree)].count("HX-Trigger") == 1
    assert "HX-Doc" not in [text for _, text in texts(tree)]
    assert dotted(ast.parse("a.b.c").body[0].value) == "a.b.c"  # type: ignore[attr-defined]
