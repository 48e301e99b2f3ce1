"""The functions that may run as tasks: their names, and by which workers each is done."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

INSIDE, OUTSIDE, PROMPT = LANES = ("inside", "outside", "prompt")  # which workers take a task

_known: dict[str, Callable[..., Any]] = {}
_prompt: set[str] = set()
_afterwards: dict[str, Callable[..., Any]] = {}


def task(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function as one that may be run later; only marked ones are ever called by name."""
    _known[name_of(function)] = function
    return function


def promptly(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a task that somebody waits for, such as a code: it never waits behind other tasks."""
    _prompt.add(name_of(function))
    return function


def if_given_up(function: Callable[..., Any], then: Callable[..., Any]) -> None:
    """Say at import which task follows, with the same arguments, when `function` has failed for good."""
    _afterwards[name_of(function)] = then


def name_of(function: Callable[..., Any]) -> str:
    """The stable name of a task: its module below portal and its own, such as notifications.notices.remind."""
    module = function.__module__.removeprefix("portal.").removeprefix("domain.")
    return f"{module}.{function.__name__}"


def is_task(name: str) -> bool:
    return name in _known


def function_of(name: str) -> Callable[..., Any]:
    """The task of this name; raises KeyError when there is none any more."""
    return _known[name]


def following(name: str) -> Callable[..., Any] | None:
    """What is done when a task of this name was given up."""
    return _afterwards.get(name)


def lane_of(name: str) -> str:
    """PROMPT for what somebody waits for, OUTSIDE for what calls other machines, INSIDE for the rest."""
    if name in _prompt:
        return PROMPT
    return OUTSIDE if inspect.isgeneratorfunction(_known.get(name)) else INSIDE


def names_in(lane: str) -> list[str]:
    """The tasks of a lane."""
    return [name for name in _known if lane_of(name) == lane]
