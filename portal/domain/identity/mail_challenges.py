"""A sign-in that is finished by mail: after too many wrong passwords for the account the right one is not enough.

Instead of locking the account, which would lock its owner out, whoever tries now is told that a code was mailed if the
password was right. Right and wrong passwords and unknown addresses get the same answer, in the same time: guessing on
tells nothing. Nothing is opened meanwhile; the challenge is encrypted, since it knows whether there is an account.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn
from uuid import UUID

from portal.core import clock, secrets
from portal.core.actor import Actor
from portal.core.db import session
from portal.core.errors import Gone, Unauthenticated
from portal.core.events import record
from portal.core.text import lazy as _
from portal.domain.identity import letters, links
from portal.domain.identity.challenges import ChallengeOver, since
from portal.domain.identity.models import User

LASTS = links.LIFETIME["sign_in"]
_NOBODY = UUID(int=0)


class MailCodeRequired(Unauthenticated):
    """Too many wrong tries: `challenge` wants the code beside it that was mailed, if the password was right."""

    code = "mail_code_required"
    sentence = _(
        "There were many wrong tries for this account. If your password is right, we have mailed you a code: please"
        " enter it."
    )

    def __init__(self, key: str, addressee: UUID | None, challenge: str) -> None:
        super().__init__(challenge=challenge, audit="session.mail_asked")
        self._key, self._addressee = key, addressee

    @property
    def challenge(self) -> str:
        return str(self.facts["challenge"])

    def afterwards(self) -> None:
        """Queue the code; again, because what the refused request queued was undone with it."""
        letters.post_code(self._key, self._addressee)


@dataclass(frozen=True)
class MailChallenge:
    """Who showed the right password, if they did, the key their code belongs to, and what they asked for."""

    key: str
    user: User | None
    facts: Mapping[str, Any]


def ask(actor: Actor, user: User | None, door: str, **facts: Any) -> NoReturn:
    """Raises MailCodeRequired, whose challenge carries `facts`; `user` showed the right password, None if nobody.

    A door that answers with a page keeps what this did; one that passes the refusal on has it done afterwards.
    """
    key = secrets.make_token(16)
    said = {
        "key": key,
        "user": str(user.id if user else _NOBODY),
        "since": secrets.fingerprint(_since(user)),
        "until": int((clock.now() + LASTS).timestamp()),
        "facts": facts,
    }
    challenge = urlsafe_b64encode(secrets.lock(_purpose(door), json.dumps(said).encode(), b"")).decode()
    needed = MailCodeRequired(key, user.id if letters.may_post_code(user) and user else None, challenge)
    record(actor, "session.mail_asked")
    needed.afterwards()
    raise needed


def read(door: str, challenge: str) -> MailChallenge:
    """What the challenge says; raises ChallengeOver when it is too old or altered, or its access ended meanwhile."""
    try:
        said = json.loads(secrets.unlock(_purpose(door), urlsafe_b64decode(challenge.encode()), b""))
    except (Gone, ValueError):
        raise ChallengeOver from None
    user = session().get(User, UUID(said["user"]), populate_existing=True)
    stands = user is None or (user.is_active and secrets.fingerprint(_since(user)) == said["since"])
    if said["until"] <= clock.now().timestamp() or not stands:
        raise ChallengeOver
    return MailChallenge(said["key"], user, said["facts"])


def _since(user: User | None) -> str:
    return since(user) if user else ""


def _purpose(door: str) -> str:
    return f"mail-code:{door}"
