"""Something typed that is looked for everywhere it must not be, while the database quotes it in its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg2
import redis

from portal.gateways.mail import Mailbox
from tests.engines import Ground

MARKER = "Planted7f3a"


@contextmanager
def refusing(ground: Ground, database: str, table: str, when: str) -> Iterator[None]:
    """This table refuses every row meanwhile, with a message that quotes it and the reason of every visit."""
    ground.administer(
        f"""
        CREATE FUNCTION refuse_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            RAISE EXCEPTION 'refused: % %', NEW, (SELECT string_agg(reason, ' ') FROM appointments)
                USING DETAIL = NEW::text;
        END $$;
        CREATE TRIGGER zzz_refuse BEFORE {when} ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_row()""",
        database,
    )
    try:
        yield
    finally:
        ground.administer("DROP FUNCTION refuse_row CASCADE", database)


def failed_tasks(ground: Ground, database: str) -> int:
    """How many tasks failed at their last try."""
    return int(_asked(ground, database, "SELECT count(*)::text FROM tasks WHERE last_error IS NOT NULL"))


def again_at_once(ground: Ground, database: str) -> None:
    """Let what failed be tried again now."""
    ground.administer("UPDATE tasks SET due_at = now() WHERE state = 'waiting' AND attempts > 0", database)


def elsewhere(ground: Ground, database: str, redis_url: str, mail: Path) -> dict[str, str]:
    """What other stores hold, by their names."""
    folder = Path(parse_qs(urlsplit(ground.admin_url).query)["host"][0])
    server_log = next(one / "log" for one in (folder, *folder.parents) if (one / "log").is_file())
    with redis.from_url(redis_url) as kept:
        in_redis = "".join(f"{key!r} {kept.dump(key)!r}" for key in kept.scan_iter("*"))
    return {
        "tasks": _asked(ground, database, "SELECT string_agg(tasks::text, ' ') FROM tasks"),
        "events": _asked(ground, database, "SELECT string_agg(events::text, ' ') FROM events"),
        "redis": in_redis,
        "mail": "".join(letter.as_string() for _, letter in Mailbox(mail).read(limit=10_000)),
        "sms": "".join(one.read_text() for one in (mail.parent / "sms").glob("*.json")),
        "the server's log": server_log.read_text(errors="replace"),
    }


def _asked(ground: Ground, database: str, query: str) -> str:
    connection = psycopg2.connect(ground.url_of(database))
    try:
        cursor = connection.cursor()
        cursor.execute(query)
        return str(cursor.fetchone()[0])  # type: ignore[index]
    finally:
        connection.close()
