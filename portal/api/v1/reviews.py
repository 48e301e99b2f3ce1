"""What patients say about doctors they came to, the doctor's answer, and hiding what must not be read."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import Field

from portal.api.v1 import endpoint
from portal.api.v1.answers import ListOut, Out
from portal.core.actor import Actor
from portal.core.errors import Forbidden, NotFound, refuse
from portal.core.shapes import Limit, Shape
from portal.domain.doctors import directory
from portal.domain.doctors.shapes import Cursor
from portal.domain.reviews import moderating, reading, writing
from portal.domain.reviews.models import Review
from portal.domain.reviews.moderating import OwnReview
from portal.domain.reviews.reading import Shown
from portal.domain.reviews.shapes import AnswerShape, HideShape, ReviewShape
from portal.domain.reviews.writing import HiddenReview, NotVisited, OwnVisit, TooLateToChange
from portal.domain.scheduling import appointments

TAG = "Reviews"
READ, WRITE = "appointments:read", "reviews:write"
RATE = "300 per minute"


class PageQuery(Shape):
    after: Cursor | None = None
    limit: Limit = 10


class AboutMeQuery(PageQuery):
    """Only those without an answer, or all."""

    unanswered_only: bool = False


class ModeratingQuery(PageQuery):
    """Hidden ones or shown ones only; those of at most so many stars."""

    hidden: bool | None = None
    most: Annotated[int | None, Field(ge=1, le=5, description="At most so many stars")] = None


class ReviewOut(Out):
    """A review as everybody reads it: a first name and an initial, the month of the visit, never why they came."""

    id: UUID
    rating: int
    text: str
    by: str
    month: Annotated[date, Field(description="Its first day")]
    answer: str
    answered_at: datetime | None
    written_at: datetime
    doctor: str
    clinic: str

    @classmethod
    def of(cls, one: Shown) -> Self:
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class ModeratedOut(ReviewOut):
    """A review as its doctor and the clinic's admins see it."""

    hidden_at: datetime | None
    hidden_reason: str


class Reviews(ListOut):
    """The latest first; `spread` is how many gave 5, 4, 3, 2 and 1 stars."""

    items: list[ReviewOut]
    spread: Annotated[list[int], Field(description="How many gave 5, 4, 3, 2 and 1, in this order")]


class ModeratedReviews(ListOut):
    """The latest first."""

    items: list[ModeratedOut]


class MyReview(Out):
    """What was said about one visit, for its patient; `changeable_until` is until when it can be said anew."""

    id: UUID
    appointment_id: UUID
    doctor_id: UUID
    rating: int
    text: str
    answer: str
    written_at: datetime
    changeable_until: datetime
    hidden_reason: Annotated[str, Field(description="Why it is hidden; empty for one that is shown")]

    @classmethod
    def of(cls, one: Review) -> Self:
        plain = ("id", "appointment_id", "doctor_id", "rating", "text", "answer", "hidden_reason")
        told: dict[str, Any] = {name: getattr(one, name) for name in plain}
        return cls(**told, written_at=one.created_at, changeable_until=writing.changeable_until(one))


@endpoint("GET", "/doctors/{doctor_id}/reviews", tag=TAG, query=PageQuery, answer=Reviews, public=True, rate=RATE)
def list_reviews(actor: Actor, doctor_id: UUID, query: PageQuery) -> Reviews:
    """What everybody may read about a doctor"""
    doctor = directory.profile(actor, doctor_id)
    found = reading.of_doctor(doctor.id, after=query.after, limit=query.limit)
    spread = reading.spread(doctor.id)
    return Reviews(items=[ReviewOut.of(one) for one in found], next=found.next, spread=list(spread.values()))


@endpoint(
    "GET", "/reviews/about-me", tag=TAG, query=AboutMeQuery, answer=ModeratedReviews, refuses=(Forbidden,), scope=WRITE
)
def list_reviews_about_me(actor: Actor, query: AboutMeQuery) -> ModeratedReviews:
    """The reviews of the doctor who asks, hidden ones too"""
    found = reading.about_me(actor, **query.values())
    return ModeratedReviews(items=[ModeratedOut.of(one) for one in found], next=found.next)


@endpoint(
    "GET",
    "/reviews/of-clinics",
    tag=TAG,
    query=ModeratingQuery,
    answer=ModeratedReviews,
    refuses=(Forbidden,),
    scope=WRITE,
)
def list_reviews_of_clinics(actor: Actor, query: ModeratingQuery) -> ModeratedReviews:
    """The reviews of visits to the clinics whose admin you are"""
    found = reading.of_clinics(actor, **query.values())
    return ModeratedReviews(items=[ModeratedOut.of(one) for one in found], next=found.next)


@endpoint(
    "GET", "/appointments/{appointment_id}/review", tag=TAG, answer=MyReview, refuses=(NotFound, Forbidden), scope=READ
)
def get_review(actor: Actor, appointment_id: UUID) -> MyReview:
    """What was said about a visit you are part of; 404 when nothing was"""
    visit = appointments.find(actor, appointment_id)
    return MyReview.of(reading.of_visit(actor, visit.id) or refuse(NotFound))


@endpoint(
    "PUT",
    "/appointments/{appointment_id}/review",
    tag=TAG,
    body=ReviewShape,
    answer=MyReview,
    refuses=(Forbidden, NotVisited, TooLateToChange, OwnVisit),
    scope=WRITE,
    example={"rating": 5, "text": "She took her time."},
)
def write_review(actor: Actor, appointment_id: UUID, body: ReviewShape) -> MyReview:
    """Say how a completed visit was; said again within 14 days it replaces what was said"""
    return MyReview.of(writing.write(actor, appointment_id, **body.values()))


@endpoint(
    "PUT",
    "/reviews/{review_id}/answer",
    tag=TAG,
    body=AnswerShape,
    answer=ModeratedOut,
    refuses=(Forbidden, HiddenReview),
    scope=WRITE,
    example={"answer": "Thank you for coming."},
)
def answer_review(actor: Actor, review_id: UUID, body: AnswerShape) -> ModeratedOut:
    """The doctor's answer below a review; it can be written anew"""
    writing.answer(actor, review_id, **body.values())
    return ModeratedOut.of(reading.one_about_me(actor, review_id))


@endpoint(
    "POST",
    "/reviews/{review_id}/hide",
    tag=TAG,
    body=HideShape,
    answer=ModeratedOut,
    refuses=(Forbidden, OwnReview),
    scope=WRITE,
    keyed=True,
    example={"reason": "It names another patient."},
)
def hide_review(actor: Actor, review_id: UUID, body: HideShape) -> ModeratedOut:
    """Take a review from view and from the average, as an admin of the visit's clinic; its patient reads the reason"""
    moderating.hide(actor, review_id, **body.values())
    return ModeratedOut.of(reading.one_of_clinics(actor, review_id))


@endpoint(
    "POST",
    "/reviews/{review_id}/show",
    tag=TAG,
    answer=ModeratedOut,
    refuses=(Forbidden, OwnReview),
    scope=WRITE,
    keyed=True,
)
def show_review(actor: Actor, review_id: UUID) -> ModeratedOut:
    """Let everybody read a hidden review again"""
    moderating.show(actor, review_id)
    return ModeratedOut.of(reading.one_of_clinics(actor, review_id))
