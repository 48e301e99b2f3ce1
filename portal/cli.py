"""flask portal …: what is typed at a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DBAPIError

from portal import worker
from portal.config import Settings
from portal.core import chain, db, seals
from portal.core.errors import Refused
from portal.core.text import gettext as say
from portal.gateways import anchors


class Commands(AppGroup):
    """Commands that end with one sentence when they are refused, or when the database is away."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Refused as no:
            raise click.ClickException(" ".join([str(no), *map(str, no.fields.values())])) from None
        except DBAPIError as wrong:
            if not db.unavailable(wrong):
                raise
            said = str(wrong.orig).strip().splitlines()[0]
            raise click.ClickException(f"The database does not answer: {said}") from None


group = Commands("portal", help="Run, check and fill the portal.")
audit = AppGroup("audit", help="The audit chain.")
group.add_command(audit)


def register(app: Flask) -> None:
    app.cli.add_command(group)


def _settings() -> Settings:
    return current_app.extensions["portal.settings"]  # type: ignore[no-any-return]


@group.command("worker")
def run_worker() -> None:
    """Do what can wait."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    worker.work(app, _settings().redis_url)


@group.command("clock")
def run_clock() -> None:
    """Hand over what is due and ask for what happens by the clock."""
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    worker.tick(app, _settings().redis_url)


@group.command("create-admin")
@click.option("--email", required=True)
@click.password_option(help="Asked for when not given.")
def create_admin(email: str, password: str) -> None:
    """Make the first superadmin, or give an account that role."""
    from portal.domain.identity import accounts

    with db.transaction():
        accounts.make_superadmin(email, password)
    click.echo(f"{email} is a superadmin now.")


@group.command("ensure-admin")
def ensure_admin() -> None:
    """Make the superadmin named by SUPERADMIN_EMAIL and SUPERADMIN_PASSWORD if there is none yet (used at release)."""
    from portal.domain.identity import accounts

    settings = _settings()
    if not settings.superadmin_email:
        return
    with db.transaction():
        if accounts.by_email(settings.superadmin_email) is None:
            accounts.make_superadmin(settings.superadmin_email, settings.superadmin_password)
            click.echo(f"{settings.superadmin_email} is a superadmin now.")


@group.command("remove-second-factor")
@click.option("--email", required=True)
def remove_second_factor(email: str) -> None:
    """Take away the second factor of an account whose phone is lost and whom no admin can help."""
    from portal.core.actor import SYSTEM
    from portal.domain.identity import accounts, factors

    with db.transaction():
        user = accounts.by_email(email)
        factors.take_away(SYSTEM, accounts.get(user.id if user else None).id)
    click.echo(f"{email} signs in with the password alone now.")


@group.command("reencrypt")
def reencrypt() -> None:
    """Keep under the present SECRET_KEY what is kept encrypted under one of SECRET_KEY_PREVIOUS."""
    from portal.domain.identity import rotation

    with db.transaction():
        before = rotation.reencrypt()
    click.echo(f"{before.former} second factors were moved to the present secret; {before.present} were kept under it.")
    if before.unreadable:
        raise click.ClickException(f"{before.unreadable} cannot be read with any secret that is set.")


@group.command("doctor")
def doctor() -> None:
    """Check an installation and say what to do about what is wrong."""
    from portal import checkup

    findings = checkup.examine(_settings())
    for finding in findings:
        click.echo(f"{'ok  ' if finding.ok else 'FAIL'}  {finding.what}: {finding.said}")
        if finding.do:
            click.echo(f"      {finding.do}")
    if not all(finding.ok for finding in findings):
        raise SystemExit(1)


@audit.command("verify")
@click.option("--anchor", "given", multiple=True, metavar="FILE or NUMBER:DIGEST",
              help="What was logged of seals. The files of AUDIT_SEALS_TO are read anyway.")  # fmt: skip
def verify_audit(given: tuple[str, ...]) -> None:
    """Check the audit chain and name everything that is not as it was written."""
    kept = [*_kept_anchors(), *(anchor for one in given for anchor in _anchors(one))]
    with db.transaction():
        wrong = list(chain.verify(kept))
        newest = seals.latest()
        said = f"{newest.number}:{newest.digest}" if newest else "0:"
    for sentence in wrong:
        click.echo(sentence)
    if not kept:
        click.echo(say("Nothing logged was compared, so newest seals that were cut off are not seen: use --anchor."))
    click.echo(say("Newest seal: %(anchor)s", anchor=said))
    if wrong:
        raise SystemExit(1)
    click.echo(say("The audit chain is whole."))


def _kept_anchors() -> Iterator[chain.Anchor]:
    return (chain.Anchor(*found) for place in anchors.places() for found in place.read())


def _anchors(given: str) -> Iterator[chain.Anchor]:
    number, colon, digest = given.partition(":")
    if colon and number.isdigit():
        yield chain.Anchor(int(number), digest)
        return
    try:
        yield from (chain.Anchor(*found) for found in anchors.read(Path(given)))
    except OSError as wrong:
        raise click.ClickException(f"{given}: {wrong.strerror}") from None


@group.command("seed-demo")
@click.option("--force", is_flag=True, help="Add the demo although the database is not empty.")
def seed_demo(force: bool) -> None:
    """Fill an empty database with the demo network; does nothing when it is there."""
    from portal import demo

    shortest = _settings().password_min_length
    if len(demo.PASSWORD) < shortest:
        said = f"The demo's password has {len(demo.PASSWORD)} characters and PASSWORD_MIN_LENGTH asks for {shortest}:"
        raise click.ClickException(f"{said} set it to {len(demo.PASSWORD)} or less.")
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    click.echo(demo.seed(app, force=force))


@group.command("demo-accounts")
def demo_accounts() -> None:
    """Name the demo's accounts."""
    from portal import demo

    for line in demo.accounts():
        click.echo(line)
