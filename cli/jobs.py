"""The commands on jobs: watch, cancel, queue, history."""

import time
from collections.abc import Sequence

from comfyd.errors import ComfydError, ExitStatus
from comfyd.protocol import Cancel, CancelReply, HistoryRequest, JobRecord, JobsReply, QueueRequest

from .connection import ANSWER_LIMIT, connected
from .terminal import Terminal
from .text import ago, count, span


def watch(terminal: Terminal, *, job: int, json: bool, no_start: bool) -> int:
    """Follow a job of anybody's."""
    from .display import display_for
    from .follow import report, watch_job

    with connected(terminal, start=not no_start) as client:
        outcome = watch_job(client, job, display_for(terminal, json=json), terminal)
    return report(outcome, terminal, json=json)


def cancel(terminal: Terminal, *, jobs: Sequence[int], json: bool, no_start: bool) -> int:
    """Cancel each job; one that cannot be does not keep the others from it."""
    status: int = ExitStatus.DONE
    with connected(terminal, start=not no_start) as client:
        for job in jobs:
            try:
                _tell_cancelled(client.call(Cancel(job=job)), terminal, json=json)
            except ComfydError as error:
                status = max(status, terminal.failure(error, json=json))
    return status


def _tell_cancelled(reply: object, terminal: Terminal, *, json: bool) -> None:
    assert isinstance(reply, CancelReply)
    if json:
        terminal.json(reply)
    elif reply.state == "cancelled":
        terminal.out(f"job {reply.job} is cancelled")
    else:
        terminal.out(f"job {reply.job} had ended before: {reply.state}")


def queue(terminal: Terminal, *, json: bool, no_start: bool) -> int:
    """List running and queued jobs."""
    from .table import show

    with connected(terminal, start=not no_start) as client:
        reply = client.call(QueueRequest(), ANSWER_LIMIT)
    assert isinstance(reply, JobsReply)
    if json:
        terminal.json(reply)
    elif not reply.jobs:
        terminal.note("The queue is empty.")
    else:
        rows = queue_rows(reply.jobs, time.time())
        show(terminal, QUEUE, rows, numbers=("JOB",), flexible=("SWEEP", "WORKFLOW"), optional=("SINCE",), sparse=("SWEEP",))
    return ExitStatus.DONE


def history(
    terminal: Terminal, *, count: int, workflow: str | None, failed: bool, since: str | None, json: bool, no_start: bool
) -> int:
    """List ended jobs."""
    from .since import moment
    from .table import show

    now = time.time()
    states = ["failed"] if failed else []
    begin = moment(since, now) if since else 0.0
    request = HistoryRequest(limit=count, workflow=workflow or "", states=states, since=begin)
    with connected(terminal, start=not no_start) as client:
        reply = client.call(request, ANSWER_LIMIT)
    assert isinstance(reply, JobsReply)
    if json:
        terminal.json(reply)
    elif not reply.jobs:
        terminal.note("No ended job is like that." if workflow or failed or since else "No job has ended yet.")
    else:
        few = ("NODES", "TOOK", "ENDED")
        show(
            terminal,
            HISTORY,
            history_rows(reply.jobs, now),
            numbers=("JOB", "TOOK"),
            flexible=("SWEEP", "WORKFLOW", "RESULT"),
            optional=few,
            sparse=("SWEEP",),
        )
    return ExitStatus.DONE


QUEUE = ("JOB", "STATE", "SINCE", "SWEEP", "WORKFLOW")
HISTORY = ("JOB", "STATE", "ENDED", "TOOK", "MODE", "NODES", "SWEEP", "WORKFLOW", "RESULT")


def queue_rows(jobs: Sequence[JobRecord], now: float) -> list[list[str]]:
    """Cells of ``queue``."""
    return [[str(job.id), _place(job), ago(now - (job.started or job.created)), job.sweep, described(job)] for job in jobs]


def history_rows(jobs: Sequence[JobRecord], now: float) -> list[list[str]]:
    """Cells of ``history``."""
    return [
        [
            str(job.id),
            job.state,
            ago(now - (job.finished or now)),
            _took(job),
            job.mode,
            f"{job.nodes_run}/{job.nodes_total}",
            job.sweep,
            described(job),
            _result(job),
        ]
        for job in jobs
    ]


def described(job: JobRecord) -> str:
    """The workflow and its overrides, as on the command line."""
    values = (f"{name} {_value(value)}" for name, value in job.overrides.items())
    return " ".join([job.workflow or "workflow", *values])


def _value(value: object) -> str:
    import shlex

    return shlex.quote(value) if isinstance(value, str) else str(value)


def _place(job: JobRecord) -> str:
    return f"{job.state} {job.position}" if job.position else job.state


def _took(job: JobRecord) -> str:
    return span(job.finished - job.started) if job.started and job.finished else ""


def _result(job: JobRecord) -> str:
    if job.error:
        return job.error.message
    more = f" and {count(len(job.files) - 1, 'more', 'more')}" if len(job.files) > 1 else ""
    return job.files[0] + more if job.files else ""
