"""No gateway is called inside a transaction: a task yields the call, and what it did before is kept first."""

from __future__ import annotations

import ast
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage
from typing import Any

import pytest
from sqlalchemy import text

from portal.core.db import session, undo
from portal.gateways import anchors, hooks, mail, sms
from tests.rules.source import dotted, imports, modules

# Every way out of each gateway, called as tasks call it.
EXITS: dict[str, Callable[[], Any]] = {
    "mail.send": lambda: mail.send(EmailMessage()),
    "sms.send": lambda: sms.send("+213550000001", "words", "key"),
    "hooks.post": lambda: hooks.post("http://127.0.0.1:9/", b"", {}),
    "anchors.put": lambda: anchors.put("nowhere", {}),
}
LEADS_OUTSIDE = ("requests.", "smtplib.SMTP_SSL", "smtplib.SMTP.", "http.client.", "urllib.request.", "urllib3.")
MAY_LEAD = ("portal/gateways/",)


@pytest.mark.parametrize("way", EXITS)
def test_a_call_inside_a_transaction_is_refused(database, way):
    session().execute(text("SELECT 1"))
    with pytest.raises(RuntimeError, match="inside a transaction"):
        EXITS[way]()
    undo()
    with suppress(OSError, ValueError, AttributeError, sms.Refused):  # let go on, it has nothing to send
        EXITS[way]()


def test_every_gateway_has_its_ways_out_in_the_table():
    gateways = {path: tree for path, tree in modules().items() if path.startswith("portal/gateways/")}
    guarded = {
        f"{path.rpartition('/')[2].removesuffix('.py')}.{function.name}"
        for path, tree in gateways.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and "no_transaction" in ast.unparse(function)
    }
    assert guarded == set(EXITS)
    named = {way.partition(".")[0] for way in EXITS}
    assert {path.rpartition("/")[2].removesuffix(".py") for path in gateways} - {"__init__"} == named


def test_tasks_yield_what_is_called_and_never_call_it():
    called = [
        f"{path}:{node.lineno}"
        for path, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and dotted(node.func) in EXITS and not path.startswith("portal/gateways/")
    ]
    assert called == []


def test_only_gateways_reach_for_other_machines():
    found = [
        f"{path}:{line} {name}"
        for path, tree in modules().items()
        for line, name in imports(tree)
        if name.startswith(LEADS_OUTSIDE) and not path.startswith(MAY_LEAD)
    ]
    assert found == []
