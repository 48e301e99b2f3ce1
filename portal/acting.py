"""Everything that acts for an account, kind by kind, and what each occasion spares with the reason why.

The order is the order of ending: what makes other things (links, codes) ends before what they make. A kind that an
occasion does not name ends on it. See docs/decisions/0017-what-acts-for-an-account.md.
"""

from __future__ import annotations

from portal.domain.identity import acts_for, credentials, factors, grants, links, sessions, sso, tokens
from portal.domain.identity.acts_for import Kind
from portal.domain.patients import sent_invitations
from portal.domain.scheduling import feeds
from portal.domain.webhooks import endpoints

KINDS: tuple[Kind, ...] = (
    links.ACTS,
    grants.ACTS,
    sessions.ACTS,
    tokens.ACTS,
    feeds.ACTS,
    endpoints.ACTS,
    endpoints.ACTS_OF_CLINICS,
    sent_invitations.ACTS,
    sso.ACTS,
    factors.ACTS,
    credentials.ACTS,
)

_SAME_PERSON = "whoever does this is the person it was made by"
_WAY_IN = {
    "password": "whoever does this has just shown it, or has another way in",
    "second_factor": "it protects the account, and the password alone must not do away with it",
    "provider": "the provider still vouches for the same person",
}
_OF_CLINICS = {"clinic_webhook": "it is the clinic's: all its admins see it and end it"}

SPARED: dict[str, dict[str, str]] = {
    acts_for.VERIFIED: {},
    acts_for.RESET: {
        "second_factor": "the mailbox alone must not do away with it",
        "password": "it is replaced",
        **_OF_CLINICS,
    },
    acts_for.CHANGED: {**_WAY_IN, **_OF_CLINICS},
    acts_for.EVERYWHERE: {**_WAY_IN, **_OF_CLINICS},
    acts_for.LINKED: {
        "browser": _SAME_PERSON,
        "program": _SAME_PERSON,
        "calendar": _SAME_PERSON,
        "webhook": _SAME_PERSON,
        "invitation": _SAME_PERSON,
        **_WAY_IN,
        **_OF_CLINICS,
    },
    acts_for.FACTOR_ON: {
        "calendar": _SAME_PERSON,
        "webhook": _SAME_PERSON,
        "invitation": _SAME_PERSON,
        **_WAY_IN,
        **_OF_CLINICS,
    },
    acts_for.FACTOR_OFF: {
        "calendar": _SAME_PERSON,
        "webhook": _SAME_PERSON,
        "invitation": _SAME_PERSON,
        "password": "it was shown to remove the factor",
        "provider": _WAY_IN["provider"],
        **_OF_CLINICS,
    },
    acts_for.FACTOR_TAKEN: {
        "invitation": "a lost phone invites nobody",
        "password": "it is the way in that is left",
        "provider": _WAY_IN["provider"],
        **_OF_CLINICS,
    },
    acts_for.TAKEN_OVER: {
        "browser": _SAME_PERSON,
        "program": _SAME_PERSON,
        **_WAY_IN,
        **_OF_CLINICS,
    },
    acts_for.SHUT: {
        "password": "nobody signs in to a shut account, and once open again it is as before",
        "second_factor": "the same",
        "provider": "the same",
        **_OF_CLINICS,
    },
}
