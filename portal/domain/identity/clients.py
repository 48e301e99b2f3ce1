"""Programs that may ask people for leave to act for them, or act for a clinic: made, changed and ended by admins."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, true, update

from portal.core import clock, live, names, secrets
from portal.core.actor import ADMIN, Actor
from portal.core.db import new_id, session
from portal.core.errors import Conflict, Invalid, NotFound, Unauthenticated, refuse
from portal.core.events import record
from portal.core.policy import allow, as_id
from portal.core.text import lazy as _
from portal.domain.identity.client_models import OAuthClient
from portal.domain.identity.models import TokenFamily, User

GRANT_OF = {"app": "authorization_code", "server": "authorization_code", "service": "client_credentials"}
_ID = re.compile(r"[A-Za-z0-9_-]{1,48}")
_ANY_PORT = frozenset({"127.0.0.1", "::1"})  # a program on the person's computer takes the port it gets


class ClientRefused(Unauthenticated):
    """The program is not known (any more), or did not prove itself."""

    code = "invalid_client"
    sentence = _("This program is not known here, or its secret is wrong.")


class ClientEnded(Conflict):
    code = "client_ended"
    sentence = _("This program was ended. Add it anew if it is needed again.")


def of(actor: Actor, clinic_id: UUID | None = None) -> list[OAuthClient]:
    """The programs the actor looks after, those in use first, then by name; of one clinic when that is given."""
    statement = select(OAuthClient).where(_seen_by(actor))
    if clinic_id:
        statement = statement.where(OAuthClient.clinic_id == clinic_id)
    return list(session().scalars(statement.order_by(OAuthClient.ended_at.is_not(None), OAuthClient.name).limit(500)))


def get(actor: Actor, key: UUID | str, *, lock: bool = False) -> OAuthClient:
    """One of them; raises NotFound for another clinic's."""
    statement = select(OAuthClient).where(OAuthClient.id == as_id(key), _seen_by(actor))
    if lock:
        statement = statement.with_for_update().execution_options(populate_existing=True)
    return session().scalars(statement).one_or_none() or refuse(NotFound)


def use_of(client: OAuthClient) -> tuple[int, datetime | None]:
    """For how many accounts the program may act now, and when it last asked for tokens."""
    now = clock.now()
    alive = [TokenFamily.ended_at.is_(None), TokenFamily.expires_at > now]
    counted = select(func.count(TokenFamily.user_id.distinct()).filter(*alive), func.max(TokenFamily.last_used_at))
    people, last = session().execute(counted.where(TokenFamily.client_id == client.id)).one()
    return people, last


def make(
    actor: Actor,
    *,
    kind: str,
    name: str,
    scopes: Sequence[str],
    website: str = "",
    redirect_uris: Sequence[str] = (),
    clinic_id: UUID | None = None,
) -> tuple[OAuthClient, str | None]:
    """Let a program in; returns it with its secret, which is stored nowhere, or None for one that keeps none.

    `kind` is app, server or service (with an account of its own, which still needs a role). An admin does it for
    their clinics, a superadmin for all or for none in particular. Raises Forbidden, Invalid.
    """
    allow(actor.administers(clinic_id) if clinic_id else actor.is_superadmin)
    _check_addresses(GRANT_OF[kind], redirect_uris, public=kind == "app")
    secret = None if kind == "app" else secrets.make_token()
    key = new_id()
    client_id = f"p_{key.hex}"
    account = _account(name, client_id) if kind == "service" else None
    client = OAuthClient(
        id=key,
        client_id=client_id,
        name=name,
        website=website,
        secret_fingerprint=secrets.fingerprint(secret) if secret else None,
        redirect_uris=list(redirect_uris),
        grants=[GRANT_OF[kind]],
        scopes=list(scopes),
        clinic_id=clinic_id,
        service_user_id=account.id if account else None,
        made_by=actor.user_id,
    )
    session().add(client)
    session().flush()
    record(actor, "client.made", client, scopes=len(scopes))
    return client, secret


def change(
    actor: Actor, key: UUID | str, *, name: str, scopes: Sequence[str], website: str, redirect_uris: Sequence[str]
) -> OAuthClient:
    """Say anew what a program is called, where it may send people back to and what it may ask for.

    What it was given before shrinks with it at once, and never grows without asking. Raises Invalid, ClientEnded.
    """
    client = _in_use(actor, key)
    _check_addresses(client.grants[0], redirect_uris, public=client.is_public)
    client.name, client.website = name, website
    client.redirect_uris, client.scopes = list(redirect_uris), list(scopes)
    for family in session().scalars(_families(client.id)):
        kept = [scope for scope in family.scopes or () if scope in scopes]
        if kept != family.scopes:
            family.scopes = kept
    session().flush()
    record(actor, "client.changed", client, scopes=len(scopes))
    return client


def renew_secret(actor: Actor, key: UUID | str) -> tuple[OAuthClient, str]:
    """Another secret, which is stored nowhere; the one before is worth nothing from now on. Raises Conflict."""
    client = _in_use(actor, key)
    if client.is_public:
        raise Conflict(_("This program keeps no secret: it proves itself anew each time."), code="no_secret")
    secret = secrets.make_token()
    client.secret_fingerprint = secrets.fingerprint(secret)
    session().flush()
    record(actor, "client.secret_renewed", client)
    return client, secret


def end(actor: Actor, key: UUID | str) -> OAuthClient:
    """Let a program in no more: every token it holds is worth nothing from now on. Raises ClientEnded."""
    client = _in_use(actor, key)
    now = clock.now()
    client.ended_at = now
    alive = update(TokenFamily).where(TokenFamily.client_id == client.id, TokenFamily.ended_at.is_(None))
    ended = alive.values(ended_at=now, ended_why="client_ended").returning(TokenFamily.user_id)
    live.look_again(set(session().scalars(ended)))  # its streams look, and end
    if client.service_user_id:
        session().execute(update(User).where(User.id == client.service_user_id).values(deactivated_at=now))
    session().flush()
    record(actor, "client.ended", client)
    return client


def known(client_id: str | None) -> OAuthClient | None:
    """The program of this id that is in use, whoever asks."""
    if client_id is None or not _ID.fullmatch(client_id):
        return None
    statement = select(OAuthClient).where(OAuthClient.client_id == client_id, OAuthClient.ended_at.is_(None))
    return session().scalars(statement).one_or_none()


def prove(client: OAuthClient, secret: str) -> None:
    """Go on if this is the program's secret; raises ClientRefused, which stands in the audit."""
    kept = client.secret_fingerprint or ""
    if not hmac.compare_digest(kept, secrets.fingerprint(secret)):
        raise ClientRefused(audit="client.refused", client_id=client.id)


def may_return_to(client: OAuthClient, address: str) -> bool:
    """Whether people may be sent back there: one of the addresses to the letter.

    Only the port of this very computer is left open, as RFC 8252 (section 7.3) asks.
    """
    return address in client.redirect_uris or (
        _without_port(address) is not None
        and _without_port(address) in {_without_port(known_) for known_ in client.redirect_uris}
    )


def _without_port(address: str) -> tuple[Any, ...] | None:
    """An http address on a loopback interface without its port; None for every other."""
    try:
        parts = urlsplit(address)
        _port = parts.port
    except ValueError:
        return None
    if parts.scheme != "http" or parts.hostname not in _ANY_PORT or "@" in parts.netloc or not address.isprintable():
        return None
    return parts.hostname, parts.path, parts.query, parts.fragment


def _seen_by(actor: Actor) -> ColumnElement[bool]:
    """In SQL: all programs for a superadmin, those of their clinics for an admin."""
    if actor.is_superadmin:
        return true()
    clinics = actor.clinics_as(ADMIN)
    allow(bool(clinics))
    return OAuthClient.clinic_id.in_(clinics)


def _in_use(actor: Actor, key: UUID | str) -> OAuthClient:
    client = get(actor, key, lock=True)
    allow(client.ended_at is None, ClientEnded)
    return client


def _families(client_id: UUID) -> Any:
    return select(TokenFamily).where(TokenFamily.client_id == client_id, TokenFamily.ended_at.is_(None))


def _check_addresses(grant: str, redirect_uris: Sequence[str], *, public: bool) -> None:
    """People need a way back; only an app has a scheme of its own, whose place anybody's app could take."""
    if grant == "authorization_code" and not redirect_uris:
        raise Invalid(fields={"redirect_uris": _("Please say where people are sent back to.")})
    if not public and any(not one.startswith(("https://", "http://")) for one in redirect_uris):
        sentence = _("Only an app without a secret can have an address of its own scheme. Please use https://.")
        raise Invalid(fields={"redirect_uris": sentence})


def _account(name: str, client_id: str) -> User:
    """An account without a password, which nobody but the program acts as."""
    user = User(
        email=f"{client_id}@programs.invalid",
        given_name=names.cleaned(name)[:80] or "-",
        family_name="API",
        email_verified_at=clock.now(),
    )
    session().add(user)
    session().flush()
    return user
