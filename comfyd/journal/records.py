"""Rows of the journal as what they stand for; blobs are msgpack."""

from typing import Any, NamedTuple

import msgspec

from comfyd.protocol import Cancelled, Done, Failed, JobEnd, JobRecord

COLUMNS = "id, state, workflow, overrides, created, started, finished, attempts, nodes_total, nodes_run, files, end, mode, sweep"
decode_end = msgspec.msgpack.Decoder(JobEnd).decode
unpack = msgspec.msgpack.decode


class Begun(NamedTuple):
    """A job that runs or has ended, with its graph as it was bound, encoded."""

    id: int
    state: str
    graph: bytes
    finished: float | None
    end: JobEnd | None


def state_of(end: JobEnd) -> str:
    """The state's name of a job that ended so."""
    match end:
        case Done():
            return "done"
        case Failed():
            return "failed"
        case Cancelled():
            return "cancelled"


def record_of(row: tuple[Any, ...]) -> JobRecord:
    """A job from its row's ``COLUMNS``."""
    id, state, workflow, overrides, created, started, finished, attempts, nodes_total, nodes_run, files, end, mode, sweep = row
    event = None if end is None else decode_end(end)
    return JobRecord(
        id=id,
        state=state,
        workflow=workflow,
        overrides=unpack(overrides),
        created=created,
        started=started,
        finished=finished,
        attempts=attempts,
        nodes_total=nodes_total,
        nodes_run=nodes_run,
        files=[] if files is None else unpack(files),
        peak_memory=event.peak_memory if isinstance(event, Done) else 0,
        mode=event.mode if isinstance(event, Done) and event.mode else mode,
        sweep=sweep,
        error=event.error if isinstance(event, Failed) else None,
    )
