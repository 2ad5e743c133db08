"""Answers that only look: status, queue, history, ps."""

import os

import msgspec

from comfyd import __version__
from comfyd.config import Paths
from comfyd.errors import NoSuchJob
from comfyd.jobs import Jobs, Running
from comfyd.journal import Journal
from comfyd.protocol import PROTOCOL, HistoryRequest, JobRecord, JobReply, JobsReply, PsReply, StatusReply

from .supervisor import Supervisor


def status(jobs: Jobs, engine: Supervisor, paths: Paths, started: float, stopping: bool, notice: str) -> StatusReply:
    """The daemon as a whole."""
    return StatusReply(
        version=__version__,
        protocol=PROTOCOL,
        pid=os.getpid(),
        started=started,
        socket=str(paths.socket),
        engine=engine.told(),
        queued=len(jobs.queue),
        running=jobs.running,
        stopping=stopping,
        notice=notice,
    )


def queue(jobs: Jobs, journal: Journal) -> JobsReply:
    """Running jobs, then waiting ones in their order."""
    return JobsReply(jobs=[_record(id, jobs, journal) for id in jobs.running + jobs.queue])


def history(request: HistoryRequest, journal: Journal) -> JobsReply:
    """Ended jobs that were asked for."""
    limit = min(request.limit, journal.history)
    return JobsReply(jobs=journal.ended(limit, request.workflow, request.states, request.since))


def job(id: int, jobs: Jobs, journal: Journal) -> JobReply:
    """Everything about one job; raises NoSuchJob."""
    if not 0 < id <= journal.newest() or journal.record(id) is None:
        raise no_such_job(id, journal)
    graph, extra_data, _ = journal.graph(id)
    decode = msgspec.msgpack.decode
    return JobReply(record=_record(id, jobs, journal), graph=decode(graph), extra_data=decode(extra_data))


def ps(engine: Supervisor) -> PsReply:
    """What the worker last said it holds."""
    return PsReply(engine=engine.info, residents=engine.residents)


def no_such_job(id: int, journal: Journal) -> NoSuchJob:
    """The refusal for a number no job has, or has any longer."""
    newest = journal.newest()
    if not newest:
        return NoSuchJob(f"There is no job {id}: none was submitted yet.")
    known = "it was removed from the history" if 0 < id <= newest else f"the newest is {newest}"
    return NoSuchJob(f"There is no job {id} ({known}); `comfyd queue` and `comfyd history` list those there are.")


def _record(id: int, jobs: Jobs, journal: Journal) -> JobRecord:
    """The journal's record with what only the queue knows of the job."""
    job = jobs.get(id)
    state = job.state if job else None
    record = journal.record(id) or JobRecord(id=id, state="queued", workflow="")
    if job is None and record.finished is not None:
        return record
    if isinstance(state, Running):
        live = {"state": "running", "nodes_total": state.nodes_total, "nodes_run": state.nodes_run, "files": state.files}
        return msgspec.structs.replace(record, **live)
    return msgspec.structs.replace(record, state="queued", position=jobs.position(id))
