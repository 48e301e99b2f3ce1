"""Version 1 of the API: its contract, and the modules that fill it."""

from __future__ import annotations

from flask import Flask

from portal.api.contract import Contract
from portal.config import Settings

v1 = Contract("v1")
endpoint = v1.endpoint


def register(app: Flask, settings: Settings) -> None:
    """Add every endpoint of this version, its description and its reading page."""
    from portal.api.v1 import openapi  # importing it declares every endpoint

    blueprint = v1.blueprint()
    openapi.serve(blueprint, v1, settings)
    app.register_blueprint(blueprint)
