"""Actors from sessions and tokens: one query that every request makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text

from portal.core import clock, secrets
from portal.core.actor import DOCTOR, Actor
from portal.core.db import session
from portal.core.errors import refuse
from portal.core.prepared import Prepared
from portal.domain.identity import factors, sessions, tokens

SEEN_EVERY = timedelta(minutes=1)

# Everything about an account that decides what it may do; `from` is the session or the token family.
_ABOUT = """
SELECT o.id AS opened_id, o.last_seen, o.sudo_until, o.scopes, u.id AS user_id, u.email::text AS email,
       u.given_name || ' ' || u.family_name AS name, u.locale, u.is_superadmin,
       u.email_verified_at IS NOT NULL AS verified, p.id AS patient_id, d.id AS doctor_id,
       sf.id IS NOT NULL OR o.of_program AS has_factor,
       (SELECT array_agg(m.role || ' ' || m.clinic_id) FROM memberships m
         WHERE m.user_id = u.id AND m.ended_at IS NULL) AS memberships,
       (SELECT array_agg(pr.clinic_id::text) FROM practices pr WHERE pr.doctor_id = d.id AND pr.is_active) AS practices,
       (SELECT array_agg(concat(g.patient_id, ' ', array_to_string(g.scopes, ','), ' ', g.clinic_id))
          FROM delegations g
         WHERE g.user_id = u.id AND g.ended_at IS NULL
           AND (CAST(:now AS timestamptz) AT TIME ZONE coalesce(
                 (SELECT c.time_zone FROM clinics c WHERE c.id = g.clinic_id), :home))::date
               BETWEEN g.starts_on AND coalesce(g.ends_on, 'infinity')) AS dependants
  FROM ({source}) o
  JOIN users u ON u.id = o.user_id AND u.deactivated_at IS NULL
  LEFT JOIN patients p ON p.user_id = u.id
  LEFT JOIN doctors d ON d.user_id = u.id
  LEFT JOIN second_factors sf ON sf.user_id = u.id AND sf.confirmed_at IS NOT NULL
"""
_BY_SESSION = Prepared(
    "actor_by_session",
    _ABOUT.format(
        source="""SELECT s.id, s.user_id, s.last_seen_at AS last_seen, s.sudo_until, NULL::jsonb AS scopes,
                         false AS of_program
                    FROM user_sessions s
                   WHERE s.fingerprint = :fingerprint AND s.ended_at IS NULL
                     AND s.expires_at > :now AND s.last_seen_at > :idle"""
    ),
)
_BY_FAMILY = Prepared(
    "actor_by_family",
    _ABOUT.format(
        source="""SELECT f.id, f.user_id, f.last_used_at AS last_seen, NULL::timestamptz AS sudo_until, f.scopes,
                         f.client_id IS NOT NULL AND EXISTS (SELECT 1 FROM oauth_clients c
                           WHERE c.id = f.client_id AND c.service_user_id = f.user_id) AS of_program
                    FROM token_families f
                   WHERE f.id = :family AND f.ended_at IS NULL AND f.expires_at > :now"""
    ),
)
_BY_USER = Prepared(
    "actor_by_user",
    _ABOUT.format(
        source="""SELECT NULL::uuid AS id, CAST(:user AS uuid) AS user_id, NULL::timestamptz AS last_seen,
                         NULL::timestamptz AS sudo_until, NULL::jsonb AS scopes, false AS of_program"""
    ),
)


def by_session(token: str, address: str | None, *, is_use: bool = True) -> Actor | None:
    """Who holds this cookie's token; None when the session was ended, is too old, or the account is shut.

    Whoever only looks says that it `is_use` of the session not, so that the session still ends by being left alone.
    """
    now = clock.now()
    values = {"fingerprint": secrets.fingerprint(token), "idle": now - sessions.idle_limit()}
    found = _BY_SESSION.first(values | _present())
    if found is None:
        return None
    if is_use and found.last_seen < now - SEEN_EVERY:
        session().execute(
            text("UPDATE user_sessions SET last_seen_at = :now WHERE id = :id"), {"now": now, "id": found.opened_id}
        )
    return _actor(
        found, "web", address, session_id=found.opened_id, sudo=bool(found.sudo_until and found.sudo_until > now)
    )


def by_bearer(access_token: str, address: str | None) -> Actor:
    """Who holds this access token.

    Raises TokenRefused when it or its family is not valid any more, SetupRequired for an employee who has not set up
    the second factor that is asked of everybody who works here.
    """
    token = tokens.read(access_token)
    found = _BY_FAMILY.first({"family": token.family_id} | _present()) or refuse(tokens.TokenRefused)
    scopes = None if found.scopes is None else frozenset(found.scopes)
    if scopes is not None and token.scopes is not None:
        scopes &= token.scopes  # this one may have been made for less
    actor = _actor(found, "api", address, session_id=found.opened_id, scopes=scopes)
    if factors.is_missing(actor):
        raise factors.SetupRequired
    return actor


def by_user(user_id: UUID, door: str = "task") -> Actor | None:
    """The actor a user is; for the demo, the CLI and tests."""
    found = _BY_USER.first({"user": user_id} | _present())
    return _actor(found, door, None) if found else None


def _present() -> dict[str, Any]:
    """This moment, and whose date counts for what belongs to no clinic; see `patients.reach.is_current`."""
    return {"now": clock.now(), "home": clock.home().key}


def _actor(found: Any, door: str, address: str | None, **more: Any) -> Actor:
    clinics: defaultdict[str, set[UUID]] = defaultdict(set)
    for role, clinic_id in (membership.split(" ") for membership in found.memberships or ()):
        clinics[role].add(UUID(clinic_id))
    if found.practices:
        clinics[DOCTOR] = {UUID(clinic_id) for clinic_id in found.practices}
    dependants, dependants_at = _in_care(found.dependants or ())
    return Actor(
        user_id=found.user_id,
        name=found.name,
        email=found.email,
        email_verified=found.verified,
        locale=found.locale,
        is_superadmin=found.is_superadmin,
        clinics={role: frozenset(ids) for role, ids in clinics.items()},
        patient_id=found.patient_id,
        doctor_id=found.doctor_id,
        has_factor=found.has_factor,
        dependants=dependants,
        dependants_at=dependants_at,
        door=door,
        address=address,
        **more,
    )


def _in_care(lines: Iterable[str]) -> tuple[dict[UUID, frozenset[str]], dict[tuple[UUID, UUID], frozenset[str]]]:
    """From "patient scopes clinic": what may be done in whole records, and what in a clinic's part of one."""
    whole, parts = {}, {}
    for patient_id, scopes, clinic_id in (line.split(" ") for line in lines):
        may = frozenset(scopes.split(","))
        if clinic_id:
            parts[UUID(patient_id), UUID(clinic_id)] = may
        else:
            whole[UUID(patient_id)] = may
    return whole, parts
