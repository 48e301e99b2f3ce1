"""Doors for people: one blueprint per role, each parsing, calling one verb and rendering what it returned."""

from __future__ import annotations

from flask import Flask

from portal.config import Settings


def register(app: Flask, settings: Settings) -> None:
    """Add every page to the application."""
    from portal.web import gate, static, words
    from portal.web.account import bp as account
    from portal.web.account.consent import bp as consent
    from portal.web.admin import bp as admin
    from portal.web.desk import bp as desk
    from portal.web.dev import bp as dev
    from portal.web.doctor import bp as doctor
    from portal.web.ops import bp as ops
    from portal.web.patient import bp as patient
    from portal.web.patient.family import invitations as family
    from portal.web.public import bp as public
    from portal.web.shared import changes, notifications, stream

    gate.guard(app, settings)
    words.teach(app, settings)
    static.serve(app, settings)
    people = (public, account, consent, patient, family, doctor, desk, admin)
    for blueprint in (*people, changes, notifications, stream, ops):
        app.register_blueprint(blueprint)
    if settings.keeps_mail and settings.portal_mode != "production":
        app.register_blueprint(dev)
