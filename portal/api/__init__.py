"""The door for programs: /api/v1, bearer tokens, problem+json, and an OpenAPI description made from the Shapes."""

from __future__ import annotations

from flask import Flask

from portal.config import Settings


def register(app: Flask, settings: Settings) -> None:
    """Add the API to the application."""
