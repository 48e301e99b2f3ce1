"""Tables for spreadsheets: CSV that no spreadsheet program takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import Any

_BEGINS_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # OWASP, CSV injection


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterable[str]:
    """CSV (RFC 4180) line by line, the headings first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in (headings, *rows):
        writer.writerow([safe_cell(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def safe_cell(value: Any) -> str:
    """The value as text; what a spreadsheet would run as a formula gets an apostrophe in front."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINS_FORMULA) else text
