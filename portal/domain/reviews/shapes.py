"""What comes in about reviews."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from portal.core.shapes import Line, Shape, storable

Words = Annotated[str, StringConstraints(max_length=2000), AfterValidator(storable)]


class ReviewShape(Shape):
    """What a patient says about a visit: 1 to 5, and words if they like."""

    rating: Annotated[int, Field(ge=1, le=5)]
    text: Words = ""


class AnswerShape(Shape):
    """What the doctor says to it."""

    answer: Annotated[str, StringConstraints(min_length=1, max_length=2000), AfterValidator(storable)]


class HideShape(Shape):
    """Why a review is hidden; the patient reads it."""

    reason: Line
