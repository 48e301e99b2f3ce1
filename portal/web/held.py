"""What this browser holds: the token of a hold, what it is about, and how its time was chosen."""

from __future__ import annotations

from flask import session, url_for

from portal.core.errors import Refused
from portal.domain.doctors.models import Practice
from portal.domain.scheduling.caps import SignInToHold, TooManyHolds
from portal.domain.scheduling.models import Hold, VisitType

ASKED_ANY = {"slug", "visit_type_id", "specialty"}  # the address at which any doctor was asked for


def keep(kept: Hold, token: str, asked_any: dict[str, str] | None = None) -> None:
    """Remember a hold instead of the one before; `asked_any` says that any doctor was asked for, and where."""
    session["hold"] = {
        "token": token,
        "practice_id": str(kept.practice_id),
        "visit_type_id": str(kept.visit_type_id),
        "starts_at": kept.starts_at.isoformat(),
        **({"any": asked_any} if asked_any else {}),
    }


def now() -> dict[str, str] | None:
    """What is held: token, practice_id, visit_type_id, starts_at."""
    found = session.get("hold")
    return found if isinstance(found, dict) and "token" in found else None


def token() -> str | None:
    """The token of what is held."""
    found = now()
    return found["token"] if found else None


def asked_any() -> dict[str, str] | None:
    """The address at which any doctor was asked for, if that is how the time was chosen."""
    found = session.get("hold")
    asked = found.get("any") if isinstance(found, dict) else None
    return asked if isinstance(asked, dict) and set(asked) == ASKED_ANY else None


def times_url(practice: Practice, kind: VisitType) -> str:
    """Where another time is chosen: with this doctor, or with any when it was any."""
    if asked := asked_any():
        return url_for("public.any_times", **asked)  # type: ignore[arg-type]
    return url_for("public.book_times", practice_id=practice.id, visit_type_id=kind.id)


def sign_in_for(no: Refused | None, back: str) -> str | None:
    """Where to sign in to hold a time that is not held without an account, and back; None for other refusals."""
    if no is None or no.code not in {TooManyHolds.code, SignInToHold.code}:
        return None
    return url_for("account.sign_in", next=back)
