"""Authentic events: a digest in each event, seals made by a function, nothing for the application's role to change.

What is not sealed yet is sealed here in the old form, so that from now on every event must carry its own digest: a
process of the version before cannot record anything after this and is to be stopped first.

Locks: events and event_seals are locked whole (ACCESS EXCLUSIVE) until the end. The columns are added without
rewriting, the check is not validated over old rows (they have no digest), the sealing rewrites what happened since the
last seal, which is seconds' worth while a clock runs.

Revision ID: 000000000014
Revises: 20261130_caps
Create Date: 2026-11-30 22:58:00

"""

import hashlib
import hmac
import json
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from flask import current_app
from uuid6 import uuid7

# revision identifiers, used by Alembic.
revision = "000000000014"
down_revision = "20261130_caps"
branch_labels = None
depends_on = None

AUTHENTIC = "mac IS NOT NULL AND key_id IS NOT NULL"

# The one way to a seal, run as the owner: the next number, and each event once. It never changes anything else.
SEAL_EVENTS = """
CREATE FUNCTION seal_events(
    the_id uuid, the_moment timestamptz, the_number bigint, the_digest text, the_key text, members uuid[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    newest bigint;
    marked bigint;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('portal.events.seal'));
    SELECT coalesce(max(number), 0) INTO newest FROM public.event_seals;
    IF the_number <> newest + 1 THEN
        RAISE EXCEPTION 'seal % does not follow seal %', the_number, newest USING ERRCODE = 'serialization_failure';
    END IF;
    UPDATE public.events SET seal_id = the_id WHERE id = ANY (members) AND seal_id IS NULL;
    GET DIAGNOSTICS marked = ROW_COUNT;
    IF marked = 0 OR marked <> cardinality(members) THEN
        RAISE EXCEPTION 'a seal closes over events, each of them once' USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO public.event_seals (id, created_at, number, count, last_seq, digest, key_id, form)
    SELECT the_id, the_moment, the_number, marked, max(seq), the_digest, the_key, 2
      FROM public.events WHERE seal_id = the_id;
END $$;
REVOKE ALL ON FUNCTION seal_events(uuid, timestamptz, bigint, text, text, uuid[]) FROM PUBLIC;
ALTER FUNCTION events_are_kept() SET search_path = pg_catalog, public, pg_temp;
ALTER FUNCTION seals_are_kept() SET search_path = pg_catalog, public, pg_temp;
"""


def upgrade():
    op.execute("LOCK TABLE events, event_seals IN ACCESS EXCLUSIVE MODE")
    _seal_what_is_open()
    op.add_column("events", sa.Column("key_id", sa.String(length=16), nullable=True))
    op.add_column("events", sa.Column("mac", sa.String(length=64), nullable=True))
    op.create_check_constraint(op.f("ck_events_authentic"), "events", AUTHENTIC, postgresql_not_valid=True)
    op.add_column("event_seals", sa.Column("key_id", sa.String(length=16), nullable=True))
    op.add_column("event_seals", sa.Column("form", sa.Integer(), nullable=False, server_default="1"))
    op.alter_column("event_seals", "form", server_default=None)
    op.execute(SEAL_EVENTS)


def downgrade():
    op.execute("DROP FUNCTION seal_events(uuid, timestamptz, bigint, text, text, uuid[])")
    op.execute("ALTER FUNCTION events_are_kept() RESET search_path")
    op.execute("ALTER FUNCTION seals_are_kept() RESET search_path")
    op.drop_column("event_seals", "form")
    op.drop_column("event_seals", "key_id")
    op.drop_constraint(op.f("ck_events_authentic"), "events", type_="check")
    op.drop_column("events", "mac")
    op.drop_column("events", "key_id")


def _seal_what_is_open():
    """One last seal as they were made until now: over what stands in each event."""
    here = op.get_bind()
    events = here.execute(
        sa.text(
            "SELECT seq, id, created_at, name, actor_id, patient_id, subject_type, subject_id, clinic_id, facts, door,"
            " address, correlation_id FROM events WHERE seal_id IS NULL ORDER BY seq"
        )
    ).all()
    if not events:
        return
    last = here.execute(sa.text("SELECT number, digest FROM event_seals ORDER BY number DESC LIMIT 1")).one_or_none()
    key = hmac.digest(current_app.config["SECRET_KEY"].encode(), b"event-seal", "sha256")
    mac = hmac.new(key, (last.digest if last else "").encode(), hashlib.sha256)
    for one in events:
        values = [one.seq, str(one.id), one.created_at.timestamp(), one.name, str(one.actor_id), str(one.patient_id)]
        values += [one.subject_type, str(one.subject_id), str(one.clinic_id), one.facts, one.door, one.address]
        mac.update(json.dumps([*values, one.correlation_id], sort_keys=True, ensure_ascii=True).encode())
    seal = {
        "id": uuid7(), "at": datetime.now(UTC), "number": last.number + 1 if last else 1, "count": len(events),
        "last": events[-1].seq, "digest": mac.hexdigest(),
    }  # fmt: skip
    here.execute(
        sa.text(
            "INSERT INTO event_seals (id, created_at, number, count, last_seq, digest)"
            " VALUES (:id, :at, :number, :count, :last, :digest)"
        ),
        seal,
    )
    here.execute(sa.text("UPDATE events SET seal_id = :id WHERE seal_id IS NULL"), {"id": seal["id"]})
