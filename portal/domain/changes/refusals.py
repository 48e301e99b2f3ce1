"""The ways a change, or an answer to one, is refused."""

from __future__ import annotations

from portal.core.errors import Conflict, Gone
from portal.core.text import lazy as _


class LookAgain(Conflict):
    """Something happened since the visits were listed; `planning.renew` lists them afresh."""

    code = "look_again"


class ChangeOver(Gone):
    """It was saved already."""

    code = "change_over"
    sentence = _("This change was saved already.")


class NothingHit(Conflict):
    """Nobody receives there, so no visit can be hit and there is nothing to decide."""

    code = "nothing_hit"
    sentence = _("No visit is affected. It can be saved at once.")


class Answered(Conflict):
    """Nobody asks any more: it was answered, or the visit was changed in another way."""

    code = "answered"
    sentence = _("There is nothing left to answer here: this visit was settled already.")


class TimeNotKept(Conflict):
    """The proposed time was kept long enough and has gone back."""

    code = "time_not_kept"
    sentence = _("The proposed time is no longer kept. Please choose another one.")
