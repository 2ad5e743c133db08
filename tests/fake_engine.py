"""A worker without an engine: speaks the worker's protocol and interprets graphs of a few node classes made for tests.

Run by the daemon through COMFYD_WORKER_MODULE. What it does at its start is ruled by the file ``start`` in the data
directory, if there is one: ``refuse``, ``exit``, ``crash``, ``import PACK`` for ever,
``crash-in PACK PACK...`` unless these are left out, or ``wait PATH``.
"""

import json
import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zmq

from comfyd import protocol
from comfyd.protocol import (
    Cancelled,
    CancelRun,
    Describe,
    Described,
    Done,
    ErrorInfo,
    Failed,
    Found,
    Memory,
    NodeDone,
    NodeStarted,
    Output,
    Planned,
    PlanOrder,
    Preview,
    PreviewOrder,
    Progress,
    Ready,
    Residency,
    Resident,
    Run,
    Shutdown,
    Started,
    StartFailed,
    Unloaded,
    UnloadOrder,
)
from comfyd.provenance import stamp
from comfyd.worker.receipts import Receipts

GIB = 1024**3
MEMORY = Memory(device="fake", used=1 * GIB, total=8 * GIB)
SETTINGS = json.loads(os.environ.get("COMFYD_WORKER_SETTINGS", "{}"))


def _class(output: list[str], **inputs: Any) -> dict[str, Any]:
    return {
        "input": {"required": {name: list(spec) for name, spec in inputs.items()}},
        "input_order": {"required": list(inputs)},
        "output": output,
        "output_is_list": [False] * len(output),
        "output_name": output,
        "output_node": not output,
        "name": "",
        "display_name": "",
        "description": "",
        "python_module": "nodes",
        "category": "fake",
    }


STRING = ("STRING", {"default": ""})
INT = ("INT", {"default": 1, "min": 0, "max": 100000})


def models() -> list[str]:
    """The model files there are; the catalogue goes stale when they change."""
    folder = Path(SETTINGS["data"]) / "models"
    return sorted(file.name for file in folder.glob("*")) if folder.is_dir() else []


def pictures() -> list[str]:
    """The files of the input folder."""
    folder = Path(SETTINGS["data"]) / "input"
    return sorted(file.name for file in folder.glob("*.png")) if folder.is_dir() else []


def catalogue() -> dict[str, Any]:
    """What ComfyUI's /object_info would say."""
    return {
        "Echo": _class([], text=STRING),
        "Save": _class([], text=STRING),
        "Publish": _class([], folder=STRING, until=STRING),
        "Share": _class([], file=STRING),
        "ExtraData": _class([]),
        "WaitFor": _class([], path=STRING),
        "Hang": _class([], path=STRING),
        "Crash": _class([], signal=INT, unless=STRING),
        "Exit": _class([], status=INT),
        "Raise": _class([], message=STRING),
        "OutOfMemory": _class([]),
        "Steps": _class([], steps=INT),
        "Pictures": _class([], count=INT, path=STRING),
        "Garbage": _class([], messages=INT),
        "Load": _class([], model=(models(), {})),
        "LoadImage": _class([], image=(["example.png", *pictures()], {"image_upload": True})),
        "Print": _class([], text=STRING, until=STRING),
    }


def made_of() -> dict[str, Any]:
    """The folder whose files are choices, and one with packs."""
    folder, packs = (Path(SETTINGS["data"]) / name for name in ("models", "packs"))
    time = folder.stat().st_mtime_ns if folder.is_dir() else 0
    return {"folders": {str(folder): time}, "packs": {str(packs): stamp(str(packs))}}


class Job:
    """A running job: a generator of its messages, None while it waits for something."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.cancelled = False
        self.previewed = False
        self.executed: list[str] = []
        self.files: list[str] = []
        self.texts: dict[str, Any] = {}

    def messages(self) -> Iterator[Any]:
        """Everything from Started to the end."""
        begun = time.monotonic()
        job, nodes = self.run.job, self.run.graph
        cached = self.cached()
        yield Started(job=job, nodes_total=len(nodes), cached=cached, attempt=self.run.attempt)
        for node, body in nodes.items():
            if node in cached:
                continue
            kind = body["class_type"]
            yield NodeStarted(job=job, node=node, class_type=kind, title=kind)
            blackbox({"job": job, "node": node, "class_type": kind, "title": kind})
            try:
                yield from getattr(self, f"do_{kind}")(node, **body["inputs"])
            except NodeError as error:
                yield Failed(job=job, error=error.info, node=node, executed=self.executed)
                return
            finally:
                blackbox(None)
            if self.cancelled:
                yield Cancelled(job=job)
                return
            self.executed.append(node)
            yield NodeDone(job=job, node=node, class_type=kind, seconds=0.0)
        yield Done(
            job=job,
            seconds=time.monotonic() - begun,
            executed=self.executed,
            nodes_total=len(nodes),
            files=self.files,
            peak_memory=2 * GIB * bool(self.executed),
            device="fake",
            outputs=self.texts,
            mode=self.run.mode,
        )

    def cached(self) -> list[str]:
        """The nodes that do not run, because what they give is there."""
        return []

    def told(self, order: CancelRun | PreviewOrder) -> None:
        """An order that reaches a job while it runs."""
        if isinstance(order, CancelRun):
            self.cancelled = True
        else:
            self.previewed = order.wanted
            (Path(SETTINGS["data"]) / ("watched" if order.wanted else "unwatched")).touch()

    def do_Echo(self, node: str, text: str) -> Iterator[Any]:
        self.texts[node] = {"text": [text]}
        return iter(())

    def do_ExtraData(self, node: str) -> Iterator[Any]:
        self.texts[node] = {"text": [json.dumps(self.run.extra_data)]}
        return iter(())

    def do_Save(self, node: str, text: str) -> Iterator[Any]:
        file = Path(SETTINGS["data"]) / f"{self.run.job}-{node}.txt"
        file.write_text(text)
        self.files.append(str(file))
        yield Output(job=self.run.job, node=node, files=[str(file)])

    def do_Publish(self, node: str, folder: str, until: str) -> Iterator[Any]:
        """Saves as the engine does, in a file of the next number, and waits."""
        taken = [int(file.stem) for file in Path(folder).glob("*.txt")]
        part, file = Path(folder, "part"), Path(folder, f"{max([0, *taken]) + 1}.txt")
        part.write_text(f"attempt {self.run.attempt}")
        Receipts(Path(SETTINGS["receipts"])).note([self.run.job], part, file)
        part.replace(file)
        yield from self.do_Share(node, str(file))
        yield from self.do_WaitFor(node, until)

    def do_Share(self, node: str, file: str) -> Iterator[Any]:
        """Its result is a file that is there."""
        self.files.append(file)
        yield Output(job=self.run.job, node=node, files=[file])

    def do_WaitFor(self, node: str, path: str) -> Iterator[Any]:
        while not Path(path).exists() and not self.cancelled:
            yield None

    def do_Hang(self, node: str, path: str) -> Iterator[Any]:
        while not Path(path).exists():
            time.sleep(0.002)  # holds up everything, as a node with the baton does
        return iter(())

    def do_Crash(self, node: str, signal: int, unless: str) -> Iterator[Any]:
        if not unless or not Path(unless).exists():
            if unless:
                Path(unless).touch()
            os.kill(os.getpid(), signal)
        return iter(())

    def do_Exit(self, node: str, status: int) -> Iterator[Any]:
        print("the node ends the process", flush=True)
        os._exit(status)

    def do_Raise(self, node: str, message: str) -> Iterator[Any]:
        raise NodeError("node-failed", f"Node {node} (Raise) failed: {message}.")

    def do_OutOfMemory(self, node: str) -> Iterator[Any]:
        raise NodeError("out-of-memory", f"Node {node} (OutOfMemory) needed more memory than there is; use a smaller size.")

    def do_Steps(self, node: str, steps: int) -> Iterator[Any]:
        for step in range(1, steps + 1):
            yield Progress(job=self.run.job, node=node, value=step, max=steps, memory=MEMORY)

    def do_Pictures(self, node: str, count: int, path: str) -> Iterator[Any]:
        """As long as somebody wants to see them, the next one after PATH.1, PATH.2 …; ends with PATH itself."""
        number = 0
        while number < count and not Path(path).exists() and not self.cancelled:
            if not self.previewed or (number and not Path(f"{path}.{number}").exists()):
                yield None
                continue
            number += 1
            data = bytes([number % 256]) * 12
            yield Preview(job=self.run.job, node=node, value=number, max=count, width=2, height=2, data=data)
        self.texts[node] = {"text": [str(number)]}

    def do_Garbage(self, node: str, messages: int) -> Iterator[Any]:
        yield from [b"\xc1 not msgpack"] * messages

    def do_Print(self, node: str, text: str, until: str) -> Iterator[Any]:
        print(text, flush=True)
        return self.do_WaitFor(node, until) if until else iter(())

    def do_LoadImage(self, node: str, image: str) -> Iterator[Any]:
        self.texts[node] = {"text": [image]}
        return iter(())

    def do_Load(self, node: str, model: str) -> Iterator[Any]:
        RESIDENTS[model] = Resident(name=model, kind="checkpoint", size=GIB, device="fake", last_used=time.time())
        yield residency()


RESIDENTS: dict[str, Resident] = {}


def residency() -> Residency:
    """What is resident now."""
    return Residency(residents=list(RESIDENTS.values()), memory=MEMORY)


class NodeError(Exception):
    """A node fails its job."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.info = ErrorInfo(code=code, message=message)


def blackbox(value: dict[str, Any] | None) -> None:
    """Name the node that executes."""
    with Path(os.environ["COMFYD_WORKER_BLACKBOX"]).open("r+b") as file:
        file.write(json.dumps(value).encode() + b"\n")


class FakeWorker:
    """One thread for everything, so that a hanging node hangs all of it."""

    def __init__(self, pair: "zmq.Socket[bytes]") -> None:
        self.pair = pair
        self.jobs: dict[int, tuple[Job, Iterator[Any]]] = {}
        self.ending = False

    def loop(self) -> None:
        """Take orders and advance every job by one message in turn."""
        idle = False
        while not (self.ending and not self.jobs):
            if sys.stdin.closed or self.pair.poll(None if not self.jobs else 5 if idle else 0):
                self.take(protocol.decode_order(self.pair.recv()))
            idle = not any([self.step(job) for job in list(self.jobs)])

    def step(self, number: int) -> bool:
        """Advance a job; whether it had anything to say."""
        message = next(self.jobs[number][1])
        if message is not None:
            self.send(message)
        if getattr(message, "FINAL", False):
            del self.jobs[number]
        return message is not None

    def send(self, message: Any) -> None:
        self.pair.send(message if isinstance(message, bytes) else protocol.encode(message))

    def take(self, order: Any) -> None:
        match order:
            case Run():
                job = Job(order)
                self.jobs[order.job] = (job, job.messages())
            case CancelRun(job=number) | PreviewOrder(job=number):
                if number in self.jobs:
                    self.jobs[number][0].told(order)
            case Describe(request=request, classes=classes):
                self.send(Described(request=request, classes={name: catalogue().get(name) for name in classes}))
            case PlanOrder(request=request, graph=graph):
                self.send(Planned(request=request, nodes=planned(graph)))
            case UnloadOrder():
                self.unload(order)
            case Shutdown(now=now):
                self.ending = True
                if now:
                    self.jobs.clear()

    def unload(self, order: UnloadOrder) -> None:
        names = list(RESIDENTS) if order.everything else order.names
        gone = [RESIDENTS.pop(name) for name in names if name in RESIDENTS]
        known = [resident.name for resident in gone]
        unknown = [name for name in names if name not in known]
        self.send(Unloaded(request=order.request, names=known, unknown=unknown, freed=sum(resident.size for resident in gone)))
        self.send(residency())


def planned(graph: dict[str, Any]) -> dict[str, Found]:
    """What a plan is told: everything would run."""
    return {node: Found(state="run") for node in graph}


def main() -> int:
    """The process."""
    context = zmq.Context()
    pair = context.socket(zmq.PAIR)
    pair.connect(os.environ["COMFYD_WORKER_ADDRESS"])
    worker = FakeWorker(pair)
    if not may_start(worker):
        pair.close(1000)
        context.term()
        return 1
    file = Path(SETTINGS["catalogue"])
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"format": 1, "comfyui": "0.0", "made_of": made_of(), "nodes": catalogue()}))
    worker.send(
        Ready(
            pid=os.getpid(),
            comfyui="/fake",
            version="0.0",
            device="fake",
            output_dir=SETTINGS["data"],
            input_dir=str(Path(SETTINGS["data"], "input")),
            catalogue=str(file),
            memory=MEMORY,
            failed_packs=list(SETTINGS.get("left_out", [])),
        )
    )
    worker.loop()
    pair.close(1000)
    context.term()
    return 0


def importing(pack: str) -> None:
    with Path(os.environ["COMFYD_WORKER_BLACKBOX"]).open("r+b") as box:
        box.write(b'{"pack": "%s"}\n' % pack.encode())


def may_start(worker: FakeWorker) -> bool:
    """Do what the file ``start`` says."""
    control = Path(SETTINGS["data"]) / "start"
    words = control.read_text().split(None, 1) if control.exists() else ["at-once"]
    match words:
        case ["refuse"]:
            worker.send(StartFailed(error=ErrorInfo(code="engine-failed", message="The fake engine does not want to start.")))
            return False
        case ["exit"]:
            print("no such thing as an engine", file=sys.stderr, flush=True)
            return False
        case ["crash"]:
            os.kill(os.getpid(), signal.SIGSEGV)
        case ["import", pack]:
            importing(pack)
            time.sleep(3600)
        case ["crash-in", packs]:
            for pack in packs.split():
                if pack not in SETTINGS["left_out"]:
                    importing(pack)
                    os.kill(os.getpid(), signal.SIGSEGV)
        case ["wait", path]:
            while not Path(path).exists():
                time.sleep(0.002)
    return True


if __name__ == "__main__":
    sys.exit(main())
