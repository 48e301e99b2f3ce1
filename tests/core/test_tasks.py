"""Work that can wait is done once, whatever fails in between."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from portal import worker
from portal.core import clock, task_counts, tasks
from portal.core.actor import SYSTEM
from portal.core.db import keep, no_transaction, session, undo
from portal.core.events import Event, record
from portal.core.tasks import GivenUp, Task, later, promptly, task
from portal.domain.identity.models import User
from tests.builders import make_user

_calls: list[tuple] = []


@task
def note(*args):
    _calls.append(args)


@task
def fail_half_way():
    make_user("Half", "Done")
    record(SYSTEM, "half.done")
    later(note, "half done")
    raise RuntimeError("no luck")


@task
def take_a_while():
    _calls.append(("started",))
    time.sleep(0.5)


@task
def give_up(why):
    raise GivenUp(why)


@task
def instead(*args):
    _calls.append(("instead", *args))


tasks.if_given_up(give_up, instead)


class Killed(BaseException):
    """What a process that is killed does not get to handle."""


def outside():
    """What another machine is asked, in place of a gateway."""
    no_transaction()
    _calls.append(("outside", session().in_transaction()))
    return "answer"


def outside_fails():
    raise OSError("away")


def outside_dies():
    raise Killed


_asked: list = [outside]


@task
def ask_twice():
    make_user("Before", "Calls")
    first = yield _asked[0]
    make_user("Between", "Calls")
    second = yield outside
    _calls.append((first, second))


@promptly
@task
def at_once():
    """Somebody waits for this."""


def not_a_task():
    """Nobody marked it."""


@pytest.fixture(autouse=True)
def _fresh():
    _calls.clear()


@pytest.fixture
def handed():
    """The ids that were handed to the workers."""
    given = []
    tasks.hand_over_by(lambda ids, lane: given.extend(ids))
    yield given
    tasks.hand_over_by(lambda ids, lane: None)


def test_a_task_is_there_once_the_change_is_kept_and_not_before(database, handed):
    task_id = later(note, 1)
    assert handed == []
    keep()
    assert handed == [task_id]
    assert _row(task_id).state == "waiting"


def test_a_task_goes_with_the_change_that_is_undone(database, handed):
    later(note, 1)
    undo()
    keep()
    assert handed == []
    assert _count(Task) == 0


def test_only_marked_functions_can_be_run_later(database):
    with pytest.raises(LookupError):
        later(not_a_task)


def test_the_same_key_is_done_once(database, drain):
    later(note, "first", key="once")
    keep()
    later(note, "second", key="once")
    assert drain() == 1
    assert _calls == [("first",)]


def test_a_task_is_not_run_before_it_is_due(database, standing_at):
    task_id = later(note, delay=timedelta(hours=1))
    keep()
    assert tasks.run(task_id) == "skipped"
    with standing_at(clock.now() + timedelta(hours=1, seconds=1)):
        assert tasks.run(task_id) == "done"


def test_a_task_that_lies_ahead_is_not_handed_over(database, handed):
    later(note, due_at=clock.now() + timedelta(minutes=5))
    keep()
    assert handed == []


def test_a_task_done_is_not_done_again(database):
    task_id = later(note)
    keep()
    assert [tasks.run(task_id), tasks.run(task_id)] == ["done", "skipped"]
    assert len(_calls) == 1
    assert _row(task_id).finished_at is not None


def test_a_failure_undoes_what_the_task_did_and_asked_for(database):
    task_id = later(fail_half_way)
    keep()
    assert tasks.run(task_id) == "waiting"
    row = _row(task_id)
    assert row.last_error.endswith("RuntimeError")
    assert "tests/core/test_tasks.py" in row.last_error and "fail_half_way" in row.last_error
    assert row.attempts == 1
    assert (_count(User), _count(Event), _count(Task)) == (0, 0, 1)


def test_each_failure_waits_longer_and_the_sixth_is_the_last(database, standing_at):
    task_id = later(fail_half_way)
    keep()
    waits, now = [], clock.now()
    for _ in range(5):
        with standing_at(now):
            assert tasks.run(task_id) == "waiting"
        waits.append((_row(task_id).due_at - now).total_seconds())
        with standing_at(_row(task_id).due_at - timedelta(seconds=1)):
            assert tasks.run(task_id) == "skipped"
        now = _row(task_id).due_at
    assert waits == list(tasks.BACKOFF)
    with standing_at(now):
        assert tasks.run(task_id) == "failed"
    assert _row(task_id).is_over


def test_what_a_task_yields_is_called_outside_any_transaction_and_what_it_did_before_is_kept(committed):
    task_id = later(ask_twice)
    keep()
    assert worker.run_one(committed, task_id) == "done"
    assert _calls == [("outside", False), ("outside", False), ("answer", "answer")]
    assert _row(task_id).attempts == 1
    assert _count(User) == 2


def test_a_call_that_fails_is_tried_again_and_keeps_what_was_done_before_it(database, drain, standing_at, monkeypatch):
    monkeypatch.setitem(globals(), "_asked", [outside_fails])
    task_id = later(ask_twice)
    drain()
    row = _row(task_id)
    assert (row.state, row.attempts, _count(User)) == ("waiting", 1, 1)
    assert "OSError" in row.last_error and "away" not in row.last_error
    monkeypatch.setitem(globals(), "_asked", [outside])
    with standing_at(row.due_at):
        assert tasks.run(task_id) == "done"


def test_while_a_call_goes_on_nobody_else_does_the_task_and_after_a_death_somebody_does(
    committed, standing_at, monkeypatch
):
    monkeypatch.setitem(globals(), "_asked", [outside_dies])
    task_id = later(ask_twice)
    keep()
    with pytest.raises(Killed):
        worker.run_one(committed, task_id)
    monkeypatch.setitem(globals(), "_asked", [outside])
    assert worker.run_one(committed, task_id) == "skipped"
    assert task_id not in tasks.due()
    with standing_at(clock.now() + tasks.LEASE):
        assert tasks.due(idle=False) == [task_id]
        keep()
        assert worker.run_one(committed, task_id) == "done"


def test_a_worker_whose_lease_is_over_leaves_the_task_to_who_has_it_now(committed, standing_at, monkeypatch):
    def much_later():
        monkeypatch.setitem(globals(), "_asked", [outside])
        with standing_at(clock.now() + tasks.LEASE):
            assert worker.run_one(committed, task_id) == "done"

    monkeypatch.setitem(globals(), "_asked", [much_later])
    task_id = later(ask_twice)
    keep()
    assert worker.run_one(committed, task_id) == "skipped"
    assert (_row(task_id).state, _row(task_id).attempts) == ("done", 1)


def test_each_lane_is_handed_over_and_swept_for_itself(database, standing_at):
    given = []
    tasks.hand_over_by(lambda ids, lane: given.append((lane, ids)))
    ids = {"inside": later(note), "outside": later(ask_twice), "prompt": later(at_once)}
    keep()
    tasks.hand_over_by(lambda ids, lane: None)
    assert dict(given) == {lane: [one] for lane, one in ids.items()}
    with standing_at(clock.now() + timedelta(minutes=1)):
        assert {lane: tasks.due(lane=lane) for lane in ids} == {lane: [one] for lane, one in ids.items()}


def test_a_task_that_gives_up_fails_at_once_and_what_follows_is_done_once(database, drain):
    later(give_up, "no such number")
    drain()
    row = session().scalars(select(Task).where(Task.name.endswith("give_up"))).one()
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.last_error.endswith("portal.core.tasks.GivenUp") and "no such number" not in row.last_error
    assert _calls == [("instead", "no such number")]
    tasks.retry(row.id)
    drain()
    assert _calls == [("instead", "no such number")]


def test_a_failed_task_gets_a_fresh_start_by_hand(database, handed, standing_at):
    task_id = later(fail_half_way)
    keep()
    row = _row(task_id)
    row.state, row.attempts = "failed", 6
    keep()
    handed.clear()
    tasks.retry(task_id)
    keep()
    assert handed == [task_id]
    assert (_row(task_id).state, _row(task_id).attempts) == ("waiting", 0)


def test_a_task_never_handed_over_is_found_by_the_sweep(database, standing_at):
    task_id = later(note)
    keep()
    assert tasks.due() == []
    with standing_at(clock.now() + timedelta(seconds=11)):
        assert tasks.due() == [task_id]


def test_a_task_handed_over_and_lost_is_found_again_soon_when_workers_are_idle(database, standing_at):
    task_id = later(note)
    keep()
    first = clock.now() + timedelta(seconds=11)
    with standing_at(first):
        assert tasks.due() == [task_id]
        assert tasks.due() == []
    with standing_at(first + timedelta(seconds=11)):
        assert tasks.due(idle=False) == []
        assert tasks.due(idle=True) == [task_id]


def test_when_workers_are_busy_a_lost_task_is_found_after_minutes(database, standing_at):
    task_id = later(note)
    keep()
    first = clock.now() + timedelta(minutes=11)
    with standing_at(first):
        tasks.due(idle=False)
    with standing_at(first + timedelta(minutes=11)):
        assert tasks.due(idle=False) == [task_id]


def test_a_task_planned_ahead_is_handed_over_when_its_time_comes(database, standing_at):
    task_id = later(note, delay=timedelta(minutes=30))
    keep()
    with standing_at(clock.now() + timedelta(minutes=31)):
        assert tasks.due() == [task_id]


@pytest.mark.race
def test_two_workers_with_the_same_task_do_it_once(committed):
    task_id = later(take_a_while)
    keep()
    said = []
    workers = [threading.Thread(target=lambda: said.append(worker.run_one(committed, task_id))) for _ in range(4)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    assert sorted(said) == ["done", "skipped", "skipped", "skipped"]
    assert _calls == [("started",)]


def test_counts_tell_what_waits_what_failed_and_what_is_late(database, standing_at):
    done = later(note)
    later(note, delay=timedelta(hours=1))
    keep()
    tasks.run(done)
    assert task_counts.counts() == {"waiting": 1, "done": 1, "failed": 0, "late": 0}
    with standing_at(clock.now() + timedelta(hours=2)):
        assert task_counts.counts()["late"] == 1


def test_tasks_done_long_ago_are_forgotten_and_failed_ones_stay(database, standing_at):
    done, failed = later(note), later(fail_half_way)
    keep()
    tasks.run(done)
    _row(failed).state = "failed"
    keep()
    with standing_at(clock.now() + timedelta(days=31)):
        assert tasks.prune() == 1
    assert _row(failed).state == "failed"


def test_settled_tasks_are_on_record_and_never_run(database, handed, drain):
    task_id = later(note)
    tasks.settle()
    keep()
    assert _row(task_id).state == "done"
    assert handed == []
    assert drain() == 0
    assert _calls == []


def _row(task_id) -> Task:
    session().expire_all()
    return session().get_one(Task, task_id)


def _count(table) -> int:
    return session().scalar(select(func.count()).select_from(table))
