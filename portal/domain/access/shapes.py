"""What somebody who follows a link tells about themselves."""

from __future__ import annotations

from portal.core.days import DayOfBirth
from portal.core.shapes import Shape


class ShowBirthDate(Shape):
    """The patient's birth date: asked before a link shows any detail."""

    birth_date: DayOfBirth
