"""The messages between client, daemon and worker, and nothing else; imports msgspec only.

Wire format, the same on both sockets (ZeroMQ over a unix socket)::

    client -> daemon   [request id, PROTOCOL, msgpack(Request)]
    daemon -> client   [request id, PROTOCOL, msgpack(Reply | Event)]
    daemon -> worker   [msgpack(Order)]
    worker -> daemon   [msgpack(Report | Event)]

The version stands in a frame of its own, so that a message which cannot be decoded can still be told
from one of another version. Every request ends in exactly one message whose class has ``FINAL = True``;
what comes before it under the same request id are events. Events of a job pass through the daemon as the
bytes the worker sent. Unknown fields are tolerated, unknown tags are an error. Times are seconds (``time.time()``
for moments), sizes bytes. Nothing here is ever pickled.
"""

from typing import Any, ClassVar

import msgspec

PROTOCOL = 2
VERSION_FRAME = str(PROTOCOL).encode()
CATALOGUE_FORMAT = 1
"""Version of the node catalogue's file: {"format", "comfyui", "nodes": what ComfyUI's /object_info tells}."""
BLACKBOX_SIZE = 4096
"""Bytes of the mapped file in which the worker names the node that executes: one line of JSON, or null."""

Graph = dict[str, Any]
"""ComfyUI's API format: node id -> {"class_type": str, "inputs": {name: value or [node id, slot]}, "_meta": {...}}."""


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=lambda name: name):
    """Base of everything that travels."""

    FINAL: ClassVar[bool] = False


# ---------------------------------------------------------------- records inside messages


class ErrorInfo(msgspec.Struct, frozen=True, kw_only=True):
    """An error as it travels: the stable code, one sentence that carries the fix, and what a developer wants besides."""

    code: str
    message: str
    detail: str = ""


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory of the device at one moment, in bytes: VRAM on a GPU; the worker's share of the machine's RAM on a CPU."""

    device: str
    used: int
    total: int


class EngineInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The engine behind the worker and how far its start has come."""

    state: str
    """``installing``, ``starting``, ``ready``, ``failed`` or ``stopped``."""
    message: str = ""
    fraction: float | None = None
    """Progress of an installation, 0 to 1, where it is known."""
    comfyui: str = ""
    version: str = ""
    device: str = ""
    pid: int = 0
    output_dir: str = ""
    input_dir: str = ""
    memory: Memory | None = None
    failed_packs: list[str] = []


class PackInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A pack of custom nodes, or a node file of ComfyUI's own, and how its import went."""

    name: str
    seconds: float
    error: str = ""
    """Why it failed; empty: it did not."""


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One job as the journal keeps it."""

    id: int
    state: str
    """``queued``, ``running``, ``done``, ``failed`` or ``cancelled``."""
    workflow: str
    overrides: dict[str, Any] = {}
    created: float = 0.0
    started: float | None = None
    finished: float | None = None
    attempts: int = 0
    position: int | None = None
    """Place in the queue, 1 = next; None once it is no longer queued."""
    files: list[str] = []
    nodes_run: int = 0
    nodes_total: int = 0
    peak_memory: int = 0
    mode: str = ""
    """``exact`` or ``fast``: what made it, or as long as it has not ended what is to make it."""
    sweep: str = ""
    """Its place in a sweep, and the sweep's name: ``3/24 demo-sweep``; empty: it was handed in alone."""
    error: ErrorInfo | None = None


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """Something the worker holds between jobs."""

    name: str
    kind: str
    """``checkpoint``, ``model``, ``clip``, ``vae``, ``controlnet`` … for loader outputs, ``results`` for cached node results,
    ``graph`` for captured model calls."""
    size: int
    device: str
    last_used: float
    in_use: bool = False
    note: str = ""
    """More on it for people: how many graphs, or why a call has none."""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """An input that differs from the job compared with; a link is ``[node id, slot]``, an input that is not there None."""

    input: str
    old: Any = None
    new: Any = None


class PlannedNode(msgspec.Struct, frozen=True, kw_only=True):
    """What a run would do about one node."""

    node: str
    class_type: str
    title: str
    state: str
    """``run``; ``cached``; ``maybe``: a node that would run decides whether it is needed; ``idle``: nothing needs it;
    ``unknown``: the engine could not be asked."""
    cause: str = ""
    """Why it would run: ``changed``, ``downstream``, ``new``, ``first``, ``always``, ``file``, ``missing`` (its files are gone),
    ``dropped`` (from the cache), ``engine`` (started since), ``unfinished`` (the job compared with has not got there)."""
    reason: str = ""
    """The same for people: ``seed 41 -> 42``."""
    changes: list[Change] = []
    roots: list[str] = []
    """The nodes whose changes it is downstream of."""
    seconds: float | None = None
    basis: str = ""
    """What ``seconds`` comes from: ``measured``, ``scaled`` from other sizes or step counts, or empty where it is unknown."""


class PlannedMemory(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of the memory a run needs, in bytes of the device; see Memory."""

    used: int | None = None
    total: int | None = None
    loads: int = 0
    """Of the model files that nodes which would run name and that are not resident."""
    peak: int | None = None
    """The highest of earlier runs of this cost; None: there was none."""


# ---------------------------------------------------------------- client -> daemon


class Work(Message, frozen=True, kw_only=True):
    """A workflow with the values to run it with: what Submit and PlanRequest have in common."""

    api: Graph | None = None
    """The API form, which runs where it is there."""
    ui: dict[str, Any] | None = None
    """What ComfyUI's editor saves: converted where there is no API form, and kept in the files that the job saves."""
    workflow: str = ""
    """The name shown to people: a file's stem, a stored or a built-in name."""
    words: list[str] = []
    """What was typed after the workflow, not yet paired into names and values; they count after ``overrides``."""
    overrides: list[tuple[str, Any]] = []
    """(address, value) pairs; a value that is a string is read by the input's type."""
    aliases: dict[str, str] = {}
    """Names that the user gave to parameters: address by name."""
    mode: str = ""
    """``exact``, ``fast``, or empty for the daemon's own."""
    extra_data: dict[str, Any] = {}
    held: dict[str, Any] = {}
    """Overrides of an earlier job, by canonical address, that the graph holds already; they go into the record as they are."""


class Submit(Work, frozen=True, kw_only=True):
    """Run a workflow with overrides. Ends in Done / Failed / Cancelled, or in Accepted where ``follow`` is false."""

    follow: bool = True
    preview: bool = False
    """Whether the follower is told Previews too."""
    sweep: str = ""
    """For the job's record: which of a sweep's combinations it is."""


class PlanRequest(Work, frozen=True, kw_only=True):
    """Say what a Submit of the same would do, and do nothing of it; ends in PlanReply."""


class Watch(Message, frozen=True, kw_only=True):
    """Attach to a job: its events so far in short (Queued or Started), then live ones, then its final event."""

    job: int
    preview: bool = False
    """As Submit's."""


class PreviewTaken(Message, frozen=True, kw_only=True):
    """A Preview was looked at, and another may come; sent under the id of the request that follows the job, answered by nothing.

    Two may be on their way: whoever does not read is sent no more, and learns of nothing but the job's other events.
    """

    job: int


class Cancel(Message, frozen=True, kw_only=True):
    """Cancel a queued or running job; ends in CancelReply once the job has ended."""

    job: int


class StatusRequest(Message, frozen=True, kw_only=True):
    """Ask for StatusReply."""


class QueueRequest(Message, frozen=True, kw_only=True):
    """Ask for JobsReply: running and queued jobs."""


class HistoryRequest(Message, frozen=True, kw_only=True):
    """Ask for JobsReply: ended jobs, newest first."""

    limit: int = 20
    workflow: str = ""
    """Only jobs of the workflow of this name; empty: of all."""
    states: list[str] = []
    """Only those that ended so: ``done``, ``failed``, ``cancelled``; empty: however they ended."""
    since: float = 0.0
    """Only those that ended at this moment or later."""


class JobRequest(Message, frozen=True, kw_only=True):
    """Ask for JobReply: everything that the journal keeps of a job, to look at or to run again."""

    job: int


class PsRequest(Message, frozen=True, kw_only=True):
    """Ask for PsReply."""


class Unload(Message, frozen=True, kw_only=True):
    """Let go of residents by name, or of all; ends in UnloadReply."""

    names: list[str] = []
    everything: bool = False


class WaitReady(Message, frozen=True, kw_only=True):
    """Follow the engine's start: EngineState events, then StatusReply when it is ready, or Error."""


class Stop(Message, frozen=True, kw_only=True):
    """Stop the daemon: finishes what runs, or with ``now`` puts it back into the queue; ends in Stopped."""

    now: bool = False


Request = (
    Submit
    | PlanRequest
    | Watch
    | PreviewTaken
    | Cancel
    | StatusRequest
    | QueueRequest
    | HistoryRequest
    | JobRequest
    | PsRequest
    | Unload
    | WaitReady
    | Stop
)


# ---------------------------------------------------------------- daemon -> client


class Error(Message, frozen=True, kw_only=True):
    """The request was refused or failed; ``comfyd.errors`` turns it into an exception."""

    FINAL = True
    error: ErrorInfo


class Accepted(Message, frozen=True, kw_only=True):
    """The job is in the journal. Final only for a Submit with ``follow`` false (see ``ends``)."""

    job: int
    position: int
    """Place in the queue, 1 = next; 0: the job goes to the worker at once."""
    overrides: dict[str, Any] = {}


class StatusReply(Message, frozen=True, kw_only=True):
    """The daemon as a whole."""

    FINAL = True
    version: str
    protocol: int
    pid: int
    started: float
    socket: str
    engine: EngineInfo
    queued: int
    running: list[int]
    stopping: bool = False
    """Whether it ends with its running jobs and takes no more."""
    notice: str = ""
    """What has happened to the journal since the daemon's start, in a sentence."""


class JobsReply(Message, frozen=True, kw_only=True):
    """Job records, for ``queue`` and ``history``."""

    FINAL = True
    jobs: list[JobRecord]


class JobReply(Message, frozen=True, kw_only=True):
    """A job as it was bound: submitted again, it is the same."""

    FINAL = True
    record: JobRecord
    graph: Graph
    extra_data: dict[str, Any]


class PsReply(Message, frozen=True, kw_only=True):
    """What is resident; ``engine.state`` says whether the list is live."""

    FINAL = True
    engine: EngineInfo
    residents: list[Resident]


class UnloadReply(Message, frozen=True, kw_only=True):
    """What was let go, and how many bytes that was."""

    FINAL = True
    names: list[str]
    freed: int


class CancelReply(Message, frozen=True, kw_only=True):
    """The job has ended; ``state`` says how (a job may have been done just before)."""

    FINAL = True
    job: int
    state: str


class Stopped(Message, frozen=True, kw_only=True):
    """The daemon is about to exit; ``requeued`` jobs run at its next start."""

    FINAL = True
    requeued: list[int] = []


class PlanReply(Message, frozen=True, kw_only=True):
    """What a run would do now, node by node in the graph's order, and what that is likely to cost."""

    FINAL = True
    workflow: str
    engine: str
    """The engine's state; where it is not ``ready`` nothing is kept, and the plan says what follows from that."""
    overrides: dict[str, Any]
    """Canonical address -> value, as Accepted tells them."""
    nodes: list[PlannedNode]
    against: int = 0
    """The job whose values are compared with; 0: there is none."""
    seconds: float | None = None
    """Of the nodes that would run and whose time is known; None: none is."""
    untimed: int = 0
    """How many of those that would run have no known time."""
    memory: PlannedMemory
    ahead: int = 0
    """Jobs that run or wait now and would go on before or beside it."""
    note: str = ""
    """A sentence where the plan is less than exact: an engine that is not ready, or too busy to be asked."""


class EngineState(Message, frozen=True, kw_only=True):
    """The engine's start has come further; sent to whoever waits for it."""

    engine: EngineInfo


# ---------------------------------------------------------------- events of a job


class Queued(Message, frozen=True, kw_only=True):
    """The job waits at ``position`` (1 = next)."""

    job: int
    position: int


class Started(Message, frozen=True, kw_only=True):
    """The job was admitted by the worker."""

    job: int
    nodes_total: int
    cached: list[str]
    """Node ids whose results are already there."""
    attempt: int = 1


class NodeStarted(Message, frozen=True, kw_only=True):
    """A node begins to execute."""

    job: int
    node: str
    class_type: str
    title: str
    memory: Memory | None = None


class Progress(Message, frozen=True, kw_only=True):
    """A node's own progress (a sampler's step) and the device's memory at this moment."""

    job: int
    node: str
    value: int
    max: int
    memory: Memory | None = None
    doing: str = ""
    """What the node does besides stepping: ``compiling``."""


class Preview(Message, frozen=True, kw_only=True):
    """How the picture looks that a node is making, small; a few times a second at most, and only to who asked for it."""

    job: int
    node: str
    value: int
    max: int
    """As Progress'."""
    width: int
    height: int
    data: bytes
    format: str = "rgb8"
    """Rows from the top, three bytes for a pixel."""


class NodeDone(Message, frozen=True, kw_only=True):
    """A node was executed (``cached`` false) or its kept result was used."""

    job: int
    node: str
    class_type: str
    seconds: float
    cached: bool = False


class Output(Message, frozen=True, kw_only=True):
    """Files of an output node, whole and in place."""

    job: int
    node: str
    files: list[str]


class Done(Message, frozen=True, kw_only=True):
    """The job's final event on success; sent when all its files are there."""

    FINAL = True
    job: int
    seconds: float
    executed: list[str]
    nodes_total: int
    files: list[str]
    peak_memory: int
    """Highest memory of the device during the job, in bytes."""
    device: str = ""
    outputs: dict[str, Any] = {}
    """ComfyUI's own ``ui`` results by node id (file entries, texts)."""
    mode: str = ""
    """``exact`` or ``fast``: which made it; a job that was to be fast and could not be is exact."""
    first_call: float | None = None
    """When its first model call went to the device; None: it had none."""
    first_kernel: float | None = None
    """When its first sampler began its work on the device, which is a little earlier."""
    device_seconds: dict[str, float] = {}
    """For nodes of which ``NodeDone`` was sent while the device was still at work on them: how long that took."""


class Failed(Message, frozen=True, kw_only=True):
    """The job's final event on failure."""

    FINAL = True
    job: int
    error: ErrorInfo
    node: str = ""
    executed: list[str] = []


class Cancelled(Message, frozen=True, kw_only=True):
    """The job's final event after a cancel."""

    FINAL = True
    job: int


Event = Queued | Started | NodeStarted | Progress | Preview | NodeDone | Output | Done | Failed | Cancelled
JobEnd = Done | Failed | Cancelled
Reply = (
    Error
    | Accepted
    | StatusReply
    | JobsReply
    | JobReply
    | PsReply
    | UnloadReply
    | CancelReply
    | Stopped
    | PlanReply
    | EngineState
)
ToClient = Reply | Event


# ---------------------------------------------------------------- daemon -> worker


class Run(Message, frozen=True, kw_only=True):
    """Execute a bound graph."""

    job: int
    graph: Graph
    extra_data: dict[str, Any] = {}
    attempt: int = 1
    mode: str = ""
    """``exact``, ``fast``; empty: exact."""


class CancelRun(Message, frozen=True, kw_only=True):
    """Interrupt a job at its next step; the worker answers with Cancelled (or the end it had already reached)."""

    job: int


class PreviewOrder(Message, frozen=True, kw_only=True):
    """Whether anybody wants to see what a job is making; nobody does until this has come."""

    job: int
    wanted: bool


class Describe(Message, frozen=True, kw_only=True):
    """Ask for fresh catalogue entries of these node classes (model files come and go); answered by Described."""

    request: int
    classes: list[str]


class PlanOrder(Message, frozen=True, kw_only=True):
    """Ask what a Run of this graph would find; answered by Planned between two steps of whatever runs."""

    request: int
    graph: Graph
    mode: str = ""
    """As Run's."""


class UnloadOrder(Message, frozen=True, kw_only=True):
    """Let go of residents; answered by Unloaded."""

    request: int
    names: list[str]
    everything: bool


class Shutdown(Message, frozen=True, kw_only=True):
    """Finish what runs (``now`` false) or drop it, then exit with status 0."""

    now: bool = False


Order = Run | CancelRun | PreviewOrder | Describe | PlanOrder | UnloadOrder | Shutdown


# ---------------------------------------------------------------- worker -> daemon


class Ready(Message, frozen=True, kw_only=True):
    """The engine is imported and takes jobs. ``catalogue`` is the path of the node catalogue (JSON, see workflow.classes)."""

    pid: int
    comfyui: str
    version: str
    device: str
    output_dir: str
    input_dir: str = ""
    catalogue: str
    memory: Memory
    failed_packs: list[str] = []
    packs: list[PackInfo] = []
    """Packs of custom nodes and whatever else failed, with import times."""


class StartFailed(Message, frozen=True, kw_only=True):
    """The worker cannot become ready, and exits after this."""

    error: ErrorInfo


class Described(Message, frozen=True, kw_only=True):
    """Catalogue entries for a Describe, in the catalogue's own form; ``request`` 0: unasked, because files have changed."""

    request: int
    classes: dict[str, Any]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What the worker knows of one node of a PlanOrder; ``state`` is PlannedNode's."""

    state: str
    always: bool = False
    """Its IS_CHANGED never says the same twice."""
    altered: bool = False
    """Its IS_CHANGED or a file it names is another than when a job last had it with these values."""
    files: list[str] = []
    """The files that are."""
    missing: list[str] = []
    """Files of its kept result that are gone."""
    loads: dict[str, int] = {}
    """Model files that its inputs name -> bytes."""


class Planned(Message, frozen=True, kw_only=True):
    """The answer to a PlanOrder: every node of the graph, or why the engine would refuse it."""

    request: int
    nodes: dict[str, Found] = {}
    error: ErrorInfo | None = None


class Unloaded(Message, frozen=True, kw_only=True):
    """What an UnloadOrder let go; ``unknown`` are names nothing resident has."""

    request: int
    names: list[str]
    unknown: list[str]
    freed: int


class Residency(Message, frozen=True, kw_only=True):
    """What is resident now; sent whenever it changed."""

    residents: list[Resident]
    memory: Memory


Report = Ready | StartFailed | Described | Planned | Unloaded | Residency
FromWorker = Report | Event

_encoder = msgspec.msgpack.Encoder()
encode = _encoder.encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_to_client = msgspec.msgpack.Decoder(ToClient).decode
decode_order = msgspec.msgpack.Decoder(Order).decode
decode_from_worker = msgspec.msgpack.Decoder(FromWorker).decode


def resubmitted(before: JobReply, *, mode: str = "", **more: Any) -> Submit:
    """The request that runs a job once more, in its own mode unless another is given; ``more`` is the rest of the fields.

    The new job's record tells of all values that were ever set, the new ones last.
    """
    return Submit(
        api=before.graph,
        workflow=before.record.workflow,
        held=before.record.overrides,
        extra_data=before.extra_data,
        mode=mode or before.record.mode,
        **more,
    )


def ends(request: Request, message: ToClient) -> bool:
    """Whether this message is the one final message of the request."""
    if isinstance(message, Accepted):
        return isinstance(request, Submit) and not request.follow
    return message.FINAL
