"""A patient's start: the next visit on top, what is to do, what is new, and the way to a doctor."""

from __future__ import annotations

from flask import Response, url_for

from portal.core.actor import Actor
from portal.core.text import gettext as say
from portal.domain.doctors import cards
from portal.domain.notifications import inbox
from portal.domain.patients import profiles
from portal.domain.scheduling import glance, video
from portal.web import htmx, times
from portal.web.gate import actor
from portal.web.patient import bp
from portal.web.public.forms import SearchForm

NEWS = 5
SOON = 3  # further visits named below the next one


@bp.get("/home")
def home() -> Response:
    who = actor()
    ahead = glance.mine(who, limit=1 + SOON).items
    return htmx.page(
        "patient/home.html",
        next_visit=ahead[0] if ahead else None,
        further=ahead[1:],
        video_link=video.link(ahead[0]) if ahead else None,
        todo=_todo(who),
        news=inbox.mine(who, limit=NEWS).items,
        form=SearchForm.over(cards.facets(who)),
        times=times,
    )


def _todo(who: Actor) -> list[dict[str, str]]:
    """What the patient can do now so that the next visit goes well."""
    todo = []
    if not who.email_verified:
        todo.append({"title": say("Confirm your e-mail address"), "icon": "mail", "url": url_for("account.security"),
                     "note": say("You need it before your first booking.")})  # fmt: skip
    profile = profiles.mine(who)
    if profile and not (profile.birth_date and profile.phone):
        todo.append({"title": say("Complete your profile"), "icon": "user", "url": url_for("account.profile"),
                     "note": say("Birth date and phone number help the clinic to know and to reach you.")})  # fmt: skip
    return todo
