"""What is to be done about jobs: the effects that ``comfyd.jobs`` returns and the daemon performs; pure data."""

import msgspec

from .protocol import JobEnd


class Admit(msgspec.Struct, frozen=True):
    """Send the job to the worker; ``attempt`` counts from 1."""

    job: int
    attempt: int


class Interrupt(msgspec.Struct, frozen=True):
    """Ask the worker to end the job."""

    job: int


class Requeue(msgspec.Struct, frozen=True):
    """The job waits again; ``attempts`` are those that count against it."""

    job: int
    attempts: int


class Moved(msgspec.Struct, frozen=True):
    """A waiting job has another place now, 1 = next."""

    job: int
    position: int


class End(msgspec.Struct, frozen=True):
    """The job has ended; ``reported`` by the worker with this very event, or decided here."""

    job: int
    event: JobEnd
    reported: bool = False
    nodes_total: int = 0
    nodes_run: int = 0
    files: list[str] = []


class ReplaceWorker(msgspec.Struct, frozen=True):
    """Kill the worker and call ``worker_died``: these jobs neither end nor move. ``stalled`` tells silence from a cancel."""

    jobs: list[int]
    stalled: bool


Effect = Admit | Interrupt | Requeue | Moved | End | ReplaceWorker
