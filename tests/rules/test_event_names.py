"""One event name, one subject: a name that two features record starts the tasks of the other one for nothing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict

from portal.subscriptions import SUBSCRIPTIONS
from tests.rules.source import dotted, modules

NAME = re.compile(r"[a-z_]+\.[a-z_{}]+")
APART = {"factor.help_asked"}  # recorded by access; the names that factors puts together are set_up, removed and such


def recorded() -> dict[str, set[str]]:
    """The features whose modules record each name; where a name is put together, its beginning."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, tree in modules().items():
        feature = "/".join(path.removeprefix("portal/domain/").removesuffix(".py").split("/")[:1])
        if path.startswith("portal/domain/"):
            for name in _given(tree):
                found[name].add(feature)
    return found


def _given(tree: ast.Module) -> set[str]:
    """The names given to `record`, and to functions of the same module that hand them on to it."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    records = [call for call in calls if dotted(call.func) == "record" and len(call.args) > 1]
    if not records:
        return set()
    given = [argument for call in calls for argument in call.args]
    given += [node.value for node in ast.walk(tree) if isinstance(node, ast.Assign)]
    return {said for one in given for said in _texts(one)}


def _texts(node: ast.AST) -> list[str]:
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAME.fullmatch(node.value):
        return [node.value]
    if isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
        start = str(node.values[0].value)
        return [f"{start}*"] if re.fullmatch(r"[a-z_]+\.", start) else []
    return []


def test_each_name_is_recorded_by_one_feature():
    assert {name: by for name, by in recorded().items() if len(by) > 1} == {}


def test_a_name_put_together_begins_as_no_other_feature_does():
    whole = recorded()
    for name, by in whole.items():
        if name.endswith("*"):
            others = {one: who for one, who in whole.items() if one.startswith(name[:-1]) and who != by}
            assert others.keys() <= APART


def test_every_name_that_starts_tasks_is_recorded_somewhere():
    names = recorded()
    beginnings = tuple(name[:-1] for name in names if name.endswith("*"))
    assert [name for name in SUBSCRIPTIONS if name not in names and not name.startswith(beginnings)] == []
