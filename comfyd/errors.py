"""One tree of errors with stable codes; what crosses the wire and which exit status each means. Imports the protocol only.

A message is one sentence that carries the fix. The class says who has to act: ``Refused`` (before a job exists, exit
status 2), ``JobFailed`` (a job ended without its result, 1), ``Unavailable`` (daemon or worker, 3).
"""

from enum import IntEnum
from typing import ClassVar

from .protocol import ErrorInfo


class ExitStatus(IntEnum):
    """Exit status of the command line."""

    DONE = 0
    FAILED = 1
    REFUSED = 2
    UNAVAILABLE = 3
    INTERRUPTED = 130


class ComfydError(Exception):
    """Base of all errors: ``code`` is stable, ``message`` one sentence, ``detail`` for whoever debugs."""

    code: ClassVar[str] = "internal"
    exit_status: ClassVar[ExitStatus] = ExitStatus.FAILED

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.detail = detail

    def info(self) -> ErrorInfo:
        """The error as it travels."""
        return ErrorInfo(code=self.code, message=self.message, detail=self.detail)


class Refused(ComfydError):
    """Refused before a job exists: usage, workflow, parameter, missing model."""

    code = "refused"
    exit_status = ExitStatus.REFUSED

    def __init__(self, message: str, detail: str = "", classes: tuple[str, ...] = ()) -> None:
        super().__init__(message, detail)
        self.classes = classes
        """Node classes whose catalogue entries may be out of date, if that can be the cause; stays in the process."""


class UsageError(Refused):
    """The command line makes no sense."""

    code = "usage"


class ConfigError(Refused):
    """The configuration file or an environment variable is wrong."""

    code = "config"


class WorkflowNotFound(Refused):
    """No such file, nor a workflow of that name."""

    code = "workflow-not-found"


class WorkflowNotJson(Refused):
    """The file is not JSON."""

    code = "workflow-not-json"


class WorkflowFormat(Refused):
    """JSON, but of a format that is not supported (ComfyUI's UI format among them)."""

    code = "workflow-format"


class NoWorkflow(Refused):
    """A picture, video or sound that carries no workflow, or is too damaged to tell."""

    code = "no-workflow"


class WorkflowInvalid(Refused):
    """The graph cannot run: no output node, a cycle, a link to a missing node, a missing input."""

    code = "workflow-invalid"


class ConversionFailed(Refused):
    """A workflow in ComfyUI's UI format that has no API graph."""

    code = "conversion-failed"


class NodeNotConvertible(ConversionFailed):
    """A node that only ComfyUI's editor can carry out, in its own JavaScript."""

    code = "node-not-convertible"


class InvalidName(Refused):
    """A name that a workflow or an alias cannot have, or that is taken."""

    code = "invalid-name"


class StoreUnavailable(Refused):
    """Named workflows cannot be written."""

    code = "store-unavailable"


class UnknownNode(Refused):
    """A node class the engine does not have."""

    code = "unknown-node"


class UnknownParameter(Refused):
    """No parameter of that address."""

    code = "unknown-parameter"


class AmbiguousParameter(Refused):
    """An address that fits several parameters."""

    code = "ambiguous-parameter"


class InvalidValue(Refused):
    """A value of the wrong type, out of range, or not among the choices."""

    code = "invalid-value"
    file = ""
    """The name that is no file of the input folder, where the error was made; stays in the process."""


class FileNotUsable(Refused):
    """A local file for an image, mask, audio or video input that cannot be read, or not be put before the engine."""

    code = "file-not-usable"


class MissingModel(Refused):
    """A model file that the engine does not find."""

    code = "missing-model"
    file = ""
    """The file's name, where the error was made; stays in the process."""


class OutputNotWritable(Refused):
    """The path given for the output cannot be written."""

    code = "output-not-writable"


class NoSuchJob(Refused):
    """No job of that number."""

    code = "no-such-job"


class NotResident(Refused):
    """Nothing resident has that name."""

    code = "not-resident"


class QueueFull(Refused):
    """The queue has reached its limit."""

    code = "queue-full"


class JobFailed(ComfydError):
    """A job ended without its result."""

    code = "job-failed"
    exit_status = ExitStatus.FAILED


class NodeFailed(JobFailed):
    """A node raised."""

    code = "node-failed"


class JobCancelled(JobFailed):
    """The job was cancelled, here or elsewhere."""

    code = "cancelled"


class OutOfMemory(JobFailed):
    """The device had not enough memory."""

    code = "out-of-memory"


class DiskFull(JobFailed):
    """No space is left where the engine writes."""

    code = "disk-full"


class CorruptModel(JobFailed):
    """A model file that cannot be read: truncated or not what its name says."""

    code = "corrupt-model"


class NotDelivered(JobFailed):
    """The job's files are there, but could not be put where they were asked for."""

    code = "not-delivered"


class WorkerCrashed(JobFailed):
    """The worker died while this job's node was executing."""

    code = "worker-crashed"


class Stalled(JobFailed):
    """The job made no progress within its deadline and its worker was replaced."""

    code = "stalled"


class Interrupted(JobFailed):
    """The job was running when its daemon or worker died, more often than it is run again."""

    code = "interrupted"


class Unavailable(ComfydError):
    """Daemon or worker cannot be had."""

    code = "unavailable"
    exit_status = ExitStatus.UNAVAILABLE


class DaemonUnavailable(Unavailable):
    """No daemon answers and none may be, or could be, started."""

    code = "daemon-unavailable"


class DaemonRunning(Unavailable):
    """A second daemon on the same socket."""

    code = "daemon-running"


class DaemonStopping(Unavailable):
    """The daemon is stopping and takes no more jobs."""

    code = "daemon-stopping"


class EngineNotFound(Unavailable):
    """No ComfyUI, or no interpreter that can run it."""

    code = "engine-not-found"


class EngineNotInstalled(EngineNotFound):
    """Nothing was chosen and nothing found, but the managed ComfyUI could be installed."""

    code = "engine-not-installed"


class EngineInstallFailed(Unavailable):
    """The managed ComfyUI could not be fetched, verified or unpacked."""

    code = "engine-install-failed"


class EngineFailed(Unavailable):
    """The worker was never ready, or died too often."""

    code = "engine-failed"


class JournalUnavailable(Unavailable):
    """The journal cannot be read or written: read-only, damaged, or no space left."""

    code = "journal-unavailable"


class ProtocolMismatch(Unavailable):
    """Client and daemon speak different versions of the protocol."""

    code = "protocol-mismatch"

    @classmethod
    def between(cls, client: bytes, daemon: bytes) -> "ProtocolMismatch":
        """The error of these two version frames, whichever side notices."""
        theirs, ours = (frame.decode(errors="replace")[:20] for frame in (client, daemon))
        return cls(
            f"This client speaks version {theirs} of the protocol and the running daemon version {ours}; "
            "run `comfyd stop && comfyd start`, or update comfyd."
        )


class ProtocolError(Unavailable):
    """A message that does not decode."""

    code = "protocol-error"


def _tree(base: type[ComfydError]) -> dict[str, type[ComfydError]]:
    found = {base.code: base}
    for child in base.__subclasses__():
        found |= _tree(child)
    return found


CODES: dict[str, type[ComfydError]] = _tree(ComfydError)
"""Every stable code and its class."""


def from_info(info: ErrorInfo) -> ComfydError:
    """The exception of an error that travelled; an unknown code (a newer daemon's) becomes the base class."""
    return CODES.get(info.code, ComfydError)(info.message, info.detail)
