"""What may be asked of the directory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from portal.core.days import Day
from portal.core.shapes import Empty, Limit, MaybeLabel, Shape, fault
from portal.core.text import lazy as _

Gender = Literal["female", "male", "other", "unknown"]
Mode = Literal["in_person", "video", "phone"]
Sort = Literal["soonest", "name", "distance", "rating"]
Code = Annotated[str, StringConstraints(max_length=80, pattern=r"^[A-Za-z0-9_-]+$")]
LanguageCode = Annotated[str, StringConstraints(max_length=8, pattern=r"^[A-Za-z]{2,3}(-[A-Za-z]{2,4})?$")]
Latitude = Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
Longitude = Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
Cursor = Annotated[str, StringConstraints(max_length=400)]


class DirectoryQuery(Shape):
    """Which doctors to show: every filter may be left out, and what is given must all hold.

    `before` is the last date on which the first free time may be, at the clinic. `sort` "distance" needs a place: a
    point, or a city, which then shows its surroundings too; `within_km` leaves out what is farther. `rating` is the
    least average of the reviews; `sort` "rating" is best first, where few reviews count little (directory.points).
    """

    specialty: Annotated[Code | None, Empty] = None
    name: MaybeLabel = None
    city: MaybeLabel = None
    clinic: Annotated[Code | None, Empty] = None
    language: Annotated[LanguageCode | None, Empty] = None
    gender: Annotated[Gender | None, Empty] = None
    mode: Annotated[Mode | None, Empty] = None
    before: Annotated[Day | None, Empty] = None
    rating: Annotated[int | None, Field(ge=1, le=5), Empty] = None
    sort: Annotated[Sort | None, Empty] = None
    latitude: Annotated[Latitude | None, Empty] = None
    longitude: Annotated[Longitude | None, Empty] = None
    within_km: Annotated[int | None, Field(ge=1, le=500), Empty] = None
    after: Annotated[Cursor | None, Empty] = None
    limit: Limit = 12

    @model_validator(mode="after")
    def _whole_place(self) -> DirectoryQuery:
        if (self.latitude is None) != (self.longitude is None):
            raise fault("place", _("A place needs both its latitude and its longitude."))
        if self.within_km is not None and self.latitude is None and not self.city:
            raise fault("no_place", _("A distance is counted from a place. Please choose a city."))
        return self

    @property
    def order(self) -> Sort:
        """The order asked for; distance without a place to measure from is soonest."""
        if self.sort == "distance" and self.latitude is None and not self.city:
            return "soonest"
        return self.sort or "soonest"

    @property
    def is_around(self) -> bool:
        """Whether a city stands for its surroundings, too."""
        return self.order == "distance" or (self.within_km is not None and self.latitude is None)

    @property
    def is_empty(self) -> bool:
        """Whether nothing narrows the list."""
        asked = (self.specialty, self.name, self.city, self.clinic, self.language, self.gender, self.mode, self.before)
        return not any((*asked, self.rating))
