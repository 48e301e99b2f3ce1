"""Nothing that acts for an account is forgotten: each secret the database keeps is answered for, each occasion too."""

from __future__ import annotations

import re

import pytest

from portal import models  # noqa: F401 - every table
from portal.acting import KINDS, SPARED
from portal.core.db import Base
from portal.domain.identity import acts_for
from tests.rules.source import PORTAL

SECRET = re.compile(r"fingerprint|token|secret|hash|digest|password|mark$|_key$|^key$")

# Tables that keep something secret-like and act for no account; each with the reason.
HARMLESS = {
    "oauth_clients": "a program's own secret: it acts as its service account, which no person signs in to",
    "holds": "keeps a time for some minutes; whoever books it books as themselves",
    "appointments": "remembers which hold it came from, so that a hold is used once",
    "idempotency_keies": "a reply is given again only to a living token of the same account",
    "event_seals": "the audit chain's digests open nothing",
    "webhook_messages": "the name of the thing a message is about; it goes with its receiver",
    "tasks": "says which task it is, so that it is made once",
    "notifications": "says which notice it is, so that it is told once",
    "call_items": "says why somebody is called, and that it is asked for once",
}

# Who signs something that nothing is stored of, and how it ends with the account's access.
SIGNED = {
    "portal/domain/identity/challenges.py": "names access_since, which every ending changes",
    "portal/domain/patients/family_letters.py": "an invitation: withdrawn one by one (sent_invitations)",
    "portal/domain/access/acting.py": "acts for a patient, not for an account, and asks for the birth date",
    "portal/domain/access/factor_help.py": "names the second factor it takes away, and ends with it",
    "portal/domain/clinics/invitations.py": "acts for a clinic: all its admins see and withdraw it",
    "portal/domain/day/arriving.py": "shows one place in a queue for a day",
}


def test_every_table_with_a_secret_is_answered_for() -> None:
    answered = {table for kind in KINDS for table in kind.tables}
    secret = {
        table.name for table in Base.metadata.tables.values() if any(SECRET.search(one.name) for one in table.columns)
    }
    assert answered <= set(Base.metadata.tables)
    assert secret - answered - set(HARMLESS) == set(), "register it in portal/acting.py, or say why it is harmless"
    assert set(HARMLESS) - secret == set(), "these keep nothing secret (any more)"
    assert not answered & set(HARMLESS)


def test_everything_that_is_signed_is_answered_for() -> None:
    signing = {
        str(path.relative_to(PORTAL.parent)) for path in PORTAL.rglob("*.py") if "secrets.sign(" in path.read_text()
    }
    assert signing == set(SIGNED)


def test_every_occasion_says_what_it_spares_and_why() -> None:
    assert set(SPARED) == set(acts_for.OCCASIONS)
    names = [kind.name for kind in KINDS]
    assert len(names) == len(set(names))
    for occasion, spared in SPARED.items():
        assert set(spared) <= set(names), occasion
        assert all(reason.strip() for reason in spared.values()), occasion


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_seen_can_be_told(kind: acts_for.Kind) -> None:
    assert (kind.find is None) == (kind.counted is None)
    if kind.counted:
        assert "1" in kind.counted(1) and "3" in kind.counted(3)
