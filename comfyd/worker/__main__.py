"""Entry of the worker process: connects first, so that a failed start is reported, then imports the engine and takes orders."""

import gc
import os
import signal
import sys
import threading
import traceback
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from comfyd.errors import EngineFailed
from comfyd.protocol import Order, Ready, StartFailed

from .link import Link
from .plain import text
from .settings import Launch, from_environment

if TYPE_CHECKING:
    from .engine import Engine


class _Mailbox:
    """Orders that arrive before the engine can take them."""

    def __init__(self) -> None:
        self._early: deque[Order] = deque()
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def put(self, order: Order) -> None:
        with self._lock:
            if self._engine is None:
                self._early.append(order)
            else:
                self._engine.post(order)

    def open(self, engine: "Engine") -> None:
        """Hands on what came early, in order, and then what comes."""
        with self._lock:
            self._engine = engine
            while self._early:
                engine.post(self._early.popleft())


def main() -> None:
    """Runs until the daemon says Shutdown or dies; exit status 1 when the engine cannot start."""
    # It would be a KeyboardInterrupt in whatever node executes, and that node would be blamed for the end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(0.0005)  # a file is written a tenth as long (measured) beside a thread that works in Python
    gc.disable()  # a fifth of a start would be spent looking through imported modules for garbage
    launch = from_environment()
    mailbox = _Mailbox()
    link = Link(launch.address, mailbox.put)
    link.start()
    try:
        engine = _start(launch, link)
    except BaseException as error:
        traceback.print_exc()
        link.send(StartFailed(error=_start_failure(error, launch).info()))
        _end(link, 1)
    mailbox.open(engine)
    try:
        engine.run()
    except BaseException:
        traceback.print_exc()
        _end(link, 1)
    _end(link, 0)


def _end(link: Link, status: int) -> NoReturn:
    """Ends the process whatever threads node packs have started: one that stays would be taken for a worker at work."""
    link.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _start(launch: Launch, link: Link) -> "Engine":
    from . import boot
    from .blackbox import BlackBox

    blackbox = BlackBox(launch.blackbox)
    loaded = boot.load(launch.settings, blackbox)
    import folder_paths

    from . import conditioning, encodes, ondevice, outputs, patching, previews, questions, residency, sampling, schedules
    from .cache import Store
    from .engine import Engine
    from .fast import wiring as fast
    from .images import saving
    from .job import current_job
    from .later import Later
    from .workbench import Workbench

    bench = Workbench(Store(residency.budget(launch.settings)), loaded.server, blackbox, link.send)
    outputs.install(launch.settings.receipts)
    saving.install(launch.settings.png)
    sampling.install(launch.settings.graphs_vram)
    for shortcut in (conditioning, encodes, ondevice, patching, questions, schedules):
        shortcut.install()
    previews.install(bench.emit)
    fast.install(boot.compiled(launch.settings), current_job)
    version = boot.version()
    loaded.made.keep()
    later = Later(loaded.packs, loaded.made)
    gc.enable()
    gc.freeze()  # half a million objects of imported modules that no later collection need walk through
    link.send(
        Ready(
            pid=os.getpid(),
            comfyui=launch.settings.comfyui,
            version=version,
            device=str(bench.meter.device),
            output_dir=folder_paths.get_output_directory(),
            input_dir=folder_paths.get_input_directory(),
            catalogue=str(loaded.made.file),
            memory=bench.meter.now(),
            failed_packs=loaded.packs.failed,
            packs=loaded.packs.report,
        )
    )
    return Engine(bench, later)


def _start_failure(error: BaseException, launch: Launch) -> EngineFailed:
    detail = text(traceback.format_exc())
    if pack := _pack_in(error):
        why = f"did not start, because its node pack {pack} fails ({detail.rstrip().splitlines()[-1]})"
        return EngineFailed(f"ComfyUI at {launch.settings.comfyui} {why}; mend, update or remove that pack.", detail)
    if isinstance(error, ModuleNotFoundError):
        fix = f"install it into {sys.executable}"
        return EngineFailed(f"ComfyUI at {launch.settings.comfyui} needs the Python package {error.name}; {fix}.", detail)
    reason = text(str(error)).splitlines()[0] if str(error).strip() else type(error).__name__
    return EngineFailed(f"ComfyUI at {launch.settings.comfyui} did not start: {reason}; see `comfyd logs`.", detail)


def _pack_in(error: BaseException) -> str:
    """The node pack that raised this."""
    for frame in traceback.extract_tb(error.__traceback__):
        after = frame.filename.partition(f"{os.sep}custom_nodes{os.sep}")[2]
        if after:
            return Path(after).parts[0]
    return ""


if __name__ == "__main__":
    main()
