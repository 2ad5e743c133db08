"""The state machine of the jobs, which needs neither processes nor time."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfyd.effects import Admit, Effect, End, Interrupt, Moved, ReplaceWorker, Requeue
from comfyd.errors import QueueFull
from comfyd.jobs import Death, Jobs, Limits, Running
from comfyd.protocol import Cancelled, Done, ErrorInfo, Failed, JobEnd, NodeDone, Output, Progress, Started

CRASH = ErrorInfo(code="worker-crashed", message="It crashed.")


def machine(ready: bool = True, **limits: Any) -> Jobs:
    jobs = Jobs(Limits(**({"max_running": 2} | limits)))
    if ready:
        jobs.worker_ready(0.0)
    return jobs


def with_jobs(count: int, **limits: Any) -> Jobs:
    jobs = machine(**limits)
    for id in range(1, count + 1):
        jobs.submit(id, 0.0)
    return jobs


def done(job: int, **more: Any) -> Done:
    return Done(job=job, seconds=1.0, executed=["1"], nodes_total=3, files=["a.png"], peak_memory=7, **more)


def test_a_job_goes_to_the_worker_at_once_when_there_is_room() -> None:
    jobs = machine()
    assert jobs.next_position() == 0
    assert jobs.submit(1, 0.0) == [Admit(1, attempt=1)]
    assert jobs.running == [1]


def test_jobs_wait_in_order_for_the_worker_to_be_ready() -> None:
    jobs = with_jobs(4, ready=False)
    assert jobs.running == []
    assert [jobs.position(id) for id in (1, 2, 3, 4)] == [1, 2, 3, 4]
    assert jobs.worker_ready(0.0) == [Admit(1, 1), Admit(2, 1), Moved(3, 1), Moved(4, 2)]


def test_a_job_that_ends_lets_the_next_one_in_and_moves_the_others() -> None:
    jobs = with_jobs(4)
    assert jobs.apply(done(1), 1.0) == [
        End(1, done(1), reported=True, nodes_total=3, nodes_run=1, files=["a.png"]),
        Admit(3, 1),
        Moved(4, 1),
    ]
    assert jobs.get(1) is None


def test_an_end_that_comes_twice_counts_once() -> None:
    jobs = with_jobs(1)
    jobs.apply(done(1), 1.0)
    assert jobs.apply(done(1), 1.0) == []
    assert jobs.apply(Failed(job=1, error=CRASH), 1.0) == []


def test_events_of_a_waiting_job_change_nothing() -> None:
    jobs = with_jobs(3)
    assert jobs.apply(done(3), 1.0) == []
    assert jobs.queue == [3]


def test_progress_is_counted_for_a_job_that_does_not_get_done() -> None:
    jobs = with_jobs(1)
    jobs.apply(Started(job=1, nodes_total=5, cached=["1"]), 1.0)
    jobs.apply(NodeDone(job=1, node="1", class_type="A", seconds=0.0, cached=True), 1.0)
    jobs.apply(NodeDone(job=1, node="2", class_type="A", seconds=1.0), 1.0)
    jobs.apply(Output(job=1, node="2", files=["a.png"]), 1.0)
    (end,) = jobs.apply(Cancelled(job=1), 1.0)
    assert end == End(1, Cancelled(job=1), reported=True, nodes_total=5, nodes_run=1, files=["a.png"])


def test_a_queue_that_is_full_refuses() -> None:
    jobs = with_jobs(4, max_queue=3)
    jobs.check_room()
    with pytest.raises(QueueFull, match="full"):
        jobs.check_room(pending=1)
    jobs.submit(5, 0.0)
    with pytest.raises(QueueFull, match="3 jobs wait"):
        jobs.check_room()


def test_an_idle_worker_takes_jobs_whatever_the_queue_may_hold() -> None:
    machine(max_queue=0).check_room()


# ---------------------------------------------------------------- cancel


def test_a_waiting_job_is_cancelled_at_once() -> None:
    jobs = with_jobs(4)
    assert jobs.cancel(3, 1.0) == [End(3, Cancelled(job=3)), Moved(4, 1)]


def test_a_running_job_is_cancelled_by_the_worker_and_asked_once() -> None:
    jobs = with_jobs(3)
    assert jobs.cancel(1, 1.0) == [Interrupt(1)]
    assert jobs.cancel(1, 2.0) == []
    assert jobs.apply(Cancelled(job=1), 3.0)[1:] == [Admit(3, 1)]


def test_a_cancel_that_is_not_obeyed_costs_the_worker_but_not_the_other_jobs() -> None:
    jobs = with_jobs(4, cancel_grace=5.0)
    jobs.cancel(1, 1.0)
    assert jobs.deadline() == 6.0
    assert jobs.expire(5.9) == []
    assert jobs.expire(6.0) == [ReplaceWorker([1], stalled=False)]
    assert jobs.expire(7.0) == []
    assert jobs.deadline() is None
    assert jobs.worker_died(Death(counts=False)) == [
        End(1, Cancelled(job=1)),
        Requeue(2, 0),
        Moved(2, 1),
        Moved(3, 2),
        Moved(4, 3),
    ]
    assert jobs.worker_ready(8.0)[:2] == [Admit(2, 1), Admit(3, 1)]


def test_nothing_is_admitted_to_a_worker_that_is_being_replaced() -> None:
    jobs = with_jobs(3)
    jobs.cancel(1, 0.0)
    jobs.expire(100.0)
    assert jobs.apply(done(2), 100.0)[1:] == []
    assert jobs.next_position() == 2


# ---------------------------------------------------------------- silence


def test_silence_costs_the_worker_and_a_sign_of_life_of_any_job_buys_time() -> None:
    jobs = with_jobs(2, progress_deadline=10.0)
    assert jobs.deadline() == 10.0
    jobs.apply(Progress(job=1, node="1", value=1, max=2), 8.0)
    assert jobs.deadline() == 18.0
    assert jobs.expire(17.9) == []
    assert jobs.expire(18.0) == [ReplaceWorker([1, 2], stalled=True)]


def test_a_job_that_begins_late_has_its_own_time() -> None:
    jobs = with_jobs(0, progress_deadline=10.0)
    jobs.submit(1, 100.0)
    assert jobs.expire(109.0) == []
    assert jobs.deadline() == 110.0


def test_without_a_progress_deadline_jobs_may_be_silent_for_ever() -> None:
    jobs = with_jobs(1, progress_deadline=0.0)
    assert jobs.deadline() is None


# ---------------------------------------------------------------- death of the worker


def test_a_death_that_is_nobodys_fault_counts_against_the_one_that_was_executing() -> None:
    jobs = with_jobs(2, attempts=1)
    effects = jobs.worker_died(Death(suspect=1))
    assert [(type(effect), effect.job) for effect in effects[:2]] == [(End, 1), (Requeue, 2)]
    jobs.worker_ready(1.0)
    assert isinstance(jobs.worker_died(Death(suspect=99))[0], End)


def test_a_culprit_fails_and_the_others_run_again_first() -> None:
    jobs = with_jobs(4)
    effects = jobs.worker_died(Death(frozenset([1]), CRASH, counts=False))
    assert effects[:2] == [End(1, Failed(job=1, error=CRASH)), Requeue(2, 0)]
    assert jobs.queue == [2, 3, 4]
    assert not jobs.admitting


def test_an_unexplained_death_counts_until_the_attempts_are_used_up() -> None:
    jobs = with_jobs(2, attempts=2)
    assert jobs.worker_died(Death()) == [Requeue(1, 1), Requeue(2, 1), Moved(1, 1), Moved(2, 2)]
    assert jobs.worker_ready(0.0) == [Admit(1, 2), Admit(2, 2)]
    first, second = jobs.worker_died(Death())
    assert isinstance(first, End)
    assert isinstance(first.event, Failed)
    assert first.event.error.code == "interrupted"
    assert "job 1 was started 2 times" in first.event.error.message.lower()
    assert isinstance(second, End)
    assert jobs.queue == []


def test_a_job_that_is_cancelled_while_its_worker_dies_is_cancelled() -> None:
    jobs = with_jobs(1)
    jobs.cancel(1, 0.0)
    assert jobs.worker_died(Death()) == [End(1, Cancelled(job=1))]


def test_a_culprit_that_ended_in_time_is_no_culprit() -> None:
    jobs = with_jobs(1)
    jobs.apply(done(1), 0.0)
    assert jobs.worker_died(Death(frozenset([1]), CRASH, counts=False)) == []


# ---------------------------------------------------------------- death of the daemon


def test_a_daemon_takes_over_what_an_earlier_one_left() -> None:
    jobs = machine(ready=False, attempts=2)
    effects = jobs.restore([(3, True, 1), (4, True, 2), (5, False, 0)])
    assert effects[0] == Requeue(3, 1)
    assert isinstance(effects[1], End)
    assert isinstance(effects[1].event, Failed)
    assert effects[1].event.error.code == "interrupted"
    assert jobs.queue == [3, 5]
    assert jobs.worker_ready(0.0) == [Admit(3, 2), Admit(5, 1)]


def test_a_job_that_cannot_be_given_to_the_worker_fails() -> None:
    jobs = with_jobs(3)
    (end, *rest) = jobs.fail(2, CRASH, 0.0)
    assert isinstance(end, End)
    assert rest == [Admit(3, 1)]


def test_jobs_that_cannot_be_given_to_the_worker_now_are_tried_again_in_their_order() -> None:
    jobs = with_jobs(4)
    assert jobs.put_back(1, 10.0) == [Moved(1, 1), Moved(3, 2), Moved(4, 3)]
    assert jobs.put_back(2, 10.0) == [Moved(2, 2), Moved(3, 3), Moved(4, 4)]
    assert jobs.queue == [1, 2, 3, 4]
    assert jobs.submit(5, 10.0) == []
    assert jobs.deadline() == 11.0
    assert jobs.expire(10.9) == []
    assert jobs.expire(11.0)[:2] == [Admit(1, 1), Admit(2, 1)]
    assert jobs.put_back(2, 11.0)[0] == Moved(2, 1)
    assert jobs.queue == [2, 3, 4, 5]


# ---------------------------------------------------------------- any history at all

_KINDS = ["submit", "done", "failed", "cancel", "die", "crash", "ready", "time", "unreadable"]
_STEPS = st.lists(st.tuples(st.sampled_from(_KINDS), st.integers(0, 7)))


@given(_STEPS, st.integers(1, 3), st.integers(1, 3))
def test_every_job_ends_exactly_once_whatever_happens(steps: list[tuple[str, int]], max_running: int, attempts: int) -> None:
    jobs = Jobs(Limits(max_running=max_running, attempts=attempts, cancel_grace=1.0, progress_deadline=5.0))
    world = _World(jobs)
    for step, number in steps:
        world.perform(step, number)
        assert len(jobs.running) <= max_running
        assert sorted(jobs.queue) == jobs.queue
        assert set(jobs.queue) | set(jobs.running) == world.open
        assert world.with_worker == set(jobs.running)
    for _ in range(attempts * len(world.open) + 1):
        world.perform("ready", 0)
        world.perform("time", 1)
        for id in jobs.running:
            world.take(jobs.apply(done(id), world.now))
    assert world.open == set()


class _World:
    """What a daemon would do with the effects, and what must hold of them."""

    def __init__(self, jobs: Jobs) -> None:
        self.jobs = jobs
        self.now = 0.0
        self.submitted = 0
        self.open: set[int] = set()
        self.with_worker: set[int] = set()

    def perform(self, step: str, number: int) -> None:
        running = self.jobs.running
        victim = running[number % len(running)] if running else None
        match step:
            case "submit":
                self.submitted += 1
                self.open.add(self.submitted)
                self.take(self.jobs.submit(self.submitted, self.now))
            case "done" | "failed" if victim:
                event: JobEnd = done(victim) if step == "done" else Failed(job=victim, error=CRASH)
                self.take(self.jobs.apply(event, self.now))
            case "cancel" if self.open:
                self.take(self.jobs.cancel(sorted(self.open)[number % len(self.open)], self.now))
            case "die":
                self.take(self.jobs.worker_died(Death()))
            case "crash" if victim:
                self.take(self.jobs.worker_died(Death(frozenset([victim]), CRASH, counts=False)))
            case "ready":
                self.take(self.jobs.worker_ready(self.now))
            case "time":
                self.now += number
                self.take(self.jobs.expire(self.now))
            case "unreadable" if running:
                for id in running:
                    self.with_worker.remove(id)
                    self.take(self.jobs.put_back(id, self.now))

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Admit(id):
                    assert id not in self.with_worker
                    self.with_worker.add(id)
                case Requeue(id):
                    self.with_worker.remove(id)
                case End(id):
                    self.open.remove(id)
                    self.with_worker.discard(id)
                case Interrupt(id):
                    assert id in self.with_worker
                case Moved(id, position):
                    assert position >= 1
                    assert id not in self.with_worker
                case ReplaceWorker():
                    self.take(self.jobs.worker_died(Death(counts=False)))


def test_running_says_what_is_known_of_a_job() -> None:
    jobs = with_jobs(1)
    jobs.apply(Started(job=1, nodes_total=5, cached=[]), 1.0)
    job = jobs.get(1)
    assert job is not None
    assert isinstance(job.state, Running)
    assert job.state.nodes_total == 5
