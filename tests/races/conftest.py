"""Races: real threads, each with a connection of its own, and real commits."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from flask import Flask

from portal.core.db import keep, transaction


@pytest.fixture
def race(committed: Flask) -> Callable[[Sequence[Callable[[], Any]]], list[Any]]:
    """A function that does all of these at the same moment, each in a transaction; what each returned or raised."""

    def run(runners: Sequence[Callable[[], Any]]) -> list[Any]:
        keep()
        together = threading.Barrier(len(runners))
        results: list[Any] = [None] * len(runners)

        def go(number: int, what: Callable[[], Any]) -> None:
            with committed.app_context():
                together.wait(20)
                try:
                    with transaction():
                        results[number] = what()
                except Exception as error:
                    results[number] = error

        threads = [threading.Thread(target=go, args=(number, what)) for number, what in enumerate(runners)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        return results

    return run
