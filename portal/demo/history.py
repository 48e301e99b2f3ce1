"""Plays the past weeks of the demo network in order, each step at its own moment, and books the weeks to come."""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from uuid import UUID

from portal.core import clock
from portal.core.actor import Actor
from portal.core.errors import Refused
from portal.demo.network import ZONE, Member, Network, Post, Rule
from portal.domain.scheduling import booking, visits
from portal.domain.scheduling.models import VisitType

WEEKS_BACK, WEEKS_AHEAD = 8, 3
ASKED_JUST_NOW = -1  # the last of the visit types, by video, which the doctor has not confirmed yet
SHOWN = ("dr.benali@demo.dz", "dr.haddad@demo.dz")  # whose weeks visitors look at
NAMED = 2  # the first patients, Amina and Yacine, whose visits are chosen
REASONS = (
    "Control of blood pressure", "Pain in the right knee for two weeks", "Renewal of my treatment", "Cough that stays",
    "Results of the blood test", "Yearly check-up", "Headaches in the morning", "Rash on both arms", "",
    "Certificate for sports", "Second opinion", "Back pain", "", "Tired for a month", "", "Vaccination due",
)  # fmt: skip
CANCELLED = (("no_time", ""), ("better", ""), ("elsewhere", ""), ("other", "I have to travel for work."))


class Story:
    """Steps in the order of their moments; those that still lie ahead are not taken."""

    def __init__(self, network: Network, dice: random.Random) -> None:
        self.network, self.dice, self.now = network, dice, clock.now()
        self.steps: list[tuple[datetime, int, Callable[[], None]]] = []
        self.numbers = count()
        self.taken: dict[UUID, list[tuple[datetime, datetime]]] = {}
        self.booked = 0
        self.near = {
            city: [post for post in network.posts if post.clinic.city == city]
            for city in {post.clinic.city for post in network.posts}
        }

    def tell(self) -> int:
        """Play everything; returns how many visits were booked."""
        self._named_people()
        today = clock.today(ZONE)
        for offset in range(-7 * WEEKS_BACK, 7 * WEEKS_AHEAD + 1):
            day = today + timedelta(days=offset)
            for post in self.network.posts:
                for _ in range(self._how_many(post, offset)):
                    self._visit(post, day)
        while self.steps:
            moment, _, step = heapq.heappop(self.steps)
            with clock.standing_at(moment):
                step()
        return self.booked

    def _named_people(self) -> None:
        """What whoever signs in as Amina or Yacine finds: visits behind them, one soon, one that waits."""
        today = clock.today(ZONE)
        for who, city in ((self.network.patients[0], "Algiers"), (self.network.patients[1], "Oran")):
            posts = [post for post in self.near[city] if self._suits(post, who)]
            wanted = ((posts[0], 2, 0), (posts[0], 9, ASKED_JUST_NOW), (posts[1], 16, 0), (posts[0], -45, 0),
                      (posts[1], -31, 0), (posts[2], -24, 0), (posts[0], -17, 1), (posts[1], -12, 2),
                      (posts[0], -8, 0))  # fmt: skip
            for post, ahead, kind in wanted:
                for later in range(7):
                    if self._visit(post, today + timedelta(days=ahead + later), who, kind):
                        break

    def _how_many(self, post: Post, offset: int) -> int:
        """Visits of a practice on a day: today and the next days are full, and the first doctors of clinics busy."""
        if offset == 0:
            return self.dice.randint(7, 10) if post.is_busy else self.dice.randint(0, 3)
        if post.data.email in SHOWN and offset < 8:
            return self.dice.randint(4, 7) if offset > 0 else self.dice.randint(2, 4) if offset > -10 else 1
        if 0 < offset <= 4:
            return self.dice.randint(2, 5) if post.is_busy else self.dice.choice((0, 0, 1, 2))
        if offset > 0:
            return self.dice.choice((0, 1, 1)) if post.is_busy else self.dice.choice((0, 0, 0, 0, 1))
        return self.dice.choice((0, 0, 1, 1)) if post.is_busy else self.dice.choice((0,) * 9 + (1,))

    def _visit(self, post: Post, day: date, who: Member | None = None, kind: int | None = None) -> bool:
        """Plan one visit from its booking to its end; False when there is no room that day."""
        who = who or self._somebody(post)
        found = self._room(post, who, day, kind)
        if found is None:
            return False
        starts, wanted = found
        made = max(starts - timedelta(hours=self.dice.randint(5, 24 * 14)), self.now - timedelta(days=75))
        if kind == ASKED_JUST_NOW:
            made = self.now - timedelta(minutes=10)
        elif made >= self.now:
            made = self.now - timedelta(minutes=self.dice.randint(20, 60 * 24 * 5))
        if made > starts - timedelta(hours=3):
            return False
        ends = starts + timedelta(minutes=wanted.duration + wanted.buffer_after)
        for whose in (post.practice_id, who.patient_id):
            self.taken.setdefault(whose, []).append((starts, ends))
        self._at(made, lambda: self._book(post, who, wanted, starts))
        return True

    def _somebody(self, post: Post) -> Member:
        fitting = [who for who in self.network.patients[NAMED:] if self._suits(post, who)]
        near = [who for who in fitting if who.city == post.clinic.city]
        return self.dice.choice(near if near and self.dice.random() < 0.93 else fitting)

    def _suits(self, post: Post, who: Member) -> bool:
        """Children see paediatricians and dentists, women gynaecologists, everybody else everybody else."""
        fields = set(post.data.specialties)
        is_child = self.now.year - who.data.born.year < 17
        if is_child or "paediatrics" in fields:
            return is_child and bool(fields & {"paediatrics", "dentistry", "general-medicine"})
        return who.data.sex == "female" or "gynaecology" not in fields

    def _room(self, post: Post, who: Member, day: date, kind: int | None) -> tuple[datetime, VisitType] | None:
        rules = [rule for rule in post.openings if rule.holds(day)]
        self.dice.shuffle(rules)
        for rule in rules:
            wanted = rule.kinds[min(kind, len(rule.kinds) - 1)] if kind is not None else self._kind(rule)
            starts = self._starts(rule, day, wanted)
            self.dice.shuffle(starts)
            for moment in starts[:12]:
                if self._is_free(post, who, moment, wanted, rule.capacity):
                    return moment, wanted
        return None

    def _kind(self, rule: Rule) -> VisitType:
        """Mostly consultations."""
        plain = next((kind for kind in rule.kinds if kind.name == "Consultation"), rule.kinds[0])
        return plain if self.dice.random() < 0.6 else self.dice.choice(rule.kinds)

    def _starts(self, rule: Rule, day: date, kind: VisitType) -> list[datetime]:
        moment = datetime.combine(day, rule.starts, ZONE)
        last = datetime.combine(day, rule.ends, ZONE) - timedelta(minutes=kind.duration)
        found = []
        while moment <= last:
            found.append(moment)
            moment += timedelta(minutes=kind.duration)
        return found

    def _is_free(self, post: Post, who: Member, starts: datetime, kind: VisitType, places: int) -> bool:
        ends = starts + timedelta(minutes=kind.duration + kind.buffer_after)

        def meetings(whose: UUID) -> int:
            return sum(begins < ends and starts < until for begins, until in self.taken.get(whose, ()))

        days = {begins.date() for begins, _ in self.taken.get(who.patient_id, ())}
        return meetings(post.practice_id) < places and starts.date() not in days

    # --- the steps of one visit ---

    def _book(self, post: Post, who: Member, kind: VisitType, starts: datetime) -> None:
        try:
            made = booking.book(
                who.actor or post.desk,
                practice_id=post.practice_id,
                visit_type_id=kind.id,
                starts_at=starts,
                patient_id=who.patient_id,
                reason=self.dice.choice(REASONS),
            )
        except Refused:
            return  # as in life: too many visits already, or a day on which nobody receives
        self.booked += 1
        here = clock.now()
        id_, waits = made.id, made.status == "pending"
        if waits:
            here += timedelta(minutes=self.dice.randint(15, 60 * 20))
            if here > starts - timedelta(hours=1) or self.dice.random() < 0.12:
                if starts <= self.now:
                    self._at(starts - timedelta(hours=1), lambda: self._decline(post, id_))
                return  # one still to come goes on waiting
            self._at(here, lambda: booking.confirm(post.doctor, id_))
        self._ending(post, who, id_, here, starts, kind)

    def _ending(self, post: Post, who: Member, id_: UUID, agreed: datetime, starts: datetime, kind: VisitType) -> None:
        if starts > self.now and who in self.network.patients[:NAMED]:
            return  # stays as it is
        fate = self.dice.random()
        off = starts - timedelta(hours=self.dice.randint(26, 70))
        if fate < 0.10 and off > agreed:
            code, text = self.dice.choice(CANCELLED)
            who_ends: Actor = who.actor or post.desk
            if starts.day % 3 == 0:  # some call on the day itself, when only the desk can still call it off
                off, who_ends = max(agreed, starts - timedelta(hours=3)), post.desk
            self._at(off, lambda: booking.cancel(who_ends, id_, code=code, text=text))
        elif fate < 0.17:
            self._at(starts + timedelta(minutes=kind.duration), lambda: visits.mark_no_show(post.desk, id_))
        else:
            begins = starts + timedelta(minutes=self.dice.randint(-3, 14))
            self._at(starts - timedelta(minutes=self.dice.randint(4, 18)), lambda: visits.check_in(post.desk, id_))
            self._at(begins, lambda: visits.start(post.doctor, id_))
            took = timedelta(minutes=max(6, kind.duration + self.dice.randint(-6, 8)))
            self._at(begins + took, lambda: visits.complete(post.doctor, id_))

    def _decline(self, post: Post, id_: UUID) -> None:
        booking.decline(post.doctor, id_, code="needs_other_visit", text="Please book a first visit instead.")

    def _at(self, moment: datetime, step: Callable[[], object]) -> None:
        if moment <= self.now:
            heapq.heappush(self.steps, (moment, next(self.numbers), step))  # type: ignore[misc]
