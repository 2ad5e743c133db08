"""The worker's life: find or install the engine, spawn, wait for Ready, watch, restart, give up.

A worker that was never ready is an error to report; one that dies later is started again, with growing delays.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import zmq

from comfyd.config import Config, Paths
from comfyd.effects import ReplaceWorker
from comfyd.errors import ComfydError, EngineFailed, from_info
from comfyd.jobs import Death
from comfyd.protocol import (
    Describe,
    Described,
    EngineInfo,
    Event,
    FromWorker,
    Memory,
    Planned,
    PlanOrder,
    Progress,
    Ready,
    Residency,
    Resident,
    Shutdown,
    StartFailed,
    Unloaded,
    UnloadOrder,
    encode,
)

from . import autopsy, catalogues
from .autopsy import Ended
from .launch import Launch, catalogue_file, find
from .restarts import Restarts
from .threads import in_thread
from .waiting import Answer, Waiting
from .worker import Worker

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue

log = logging.getLogger("comfyd.supervisor")

_FAREWELL = 5.0  # seconds a worker has to exit when asked


class Listener(Protocol):
    """Who learns what becomes of the engine."""

    def engine_changed(self, info: EngineInfo) -> None:
        """The engine's start has come further."""

    def engine_ready(self) -> None:
        """A worker takes jobs."""

    def engine_failed(self, error: ComfydError) -> None:
        """There is no worker, and no other try until somebody asks."""

    def job_event(self, event: Event, payload: bytes) -> None:
        """A job's event with the bytes it came in."""

    def worker_died(self, death: Death) -> None:
        """The worker that had the jobs is gone."""


class Supervisor:
    """The engine behind the daemon. ``info`` and ``residents`` are what was last known of it."""

    def __init__(self, config: Config, paths: Paths, listener: Listener) -> None:
        self.info = EngineInfo(state="starting")
        self.residents: list[Resident] = []
        self.catalogue: Catalogue | None = None
        self.live = False
        """Whether the catalogue is the present worker's own, not an earlier one's."""
        self._catalogue_file: Path | None = None
        self._config = config
        self._paths = paths
        self._listener = listener
        self._loop = asyncio.get_running_loop()
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._restarts = Restarts(config.worker_restarts)
        self._worker: Worker | None = None
        self._life: asyncio.Task[None] | None = None
        self._generations = itertools.count()
        self._waiting = Waiting()
        self._late: ReplaceWorker | None = None
        self._start_failed: ComfydError | None = None
        self._stopping = False

    # ------------------------------------------------------------ asked by the daemon

    def told(self) -> EngineInfo:
        """``info`` as it is told to who asks: with the node pack whose import the start is busy with."""
        pack = self._worker.importing if self.info.state == "starting" and self._worker else ""
        return msgspec.structs.replace(self.info, message=f"importing the node pack {pack}") if pack else self.info

    def start(self) -> None:
        """See to it that a start is under way, unless the engine is ready."""
        if self._life is None and not self._stopping:
            self._restarts.forgive()
            self._life = self._loop.create_task(self._live())

    async def ready(self) -> None:
        """Return once the engine takes jobs, starting it if need be; raises why it does not."""
        self.start()
        await self._waiting.until(lambda: self.info.state == "ready")

    async def keep_catalogue(self) -> None:
        """Put the catalogue where clients read it."""
        file, known = self._catalogue_file, self.catalogue
        if file is not None and known is not None:
            await in_thread(lambda: catalogues.renew(file, known))

    async def any_catalogue(self) -> "Catalogue":
        """The catalogue, be it from an earlier start; raises why there is none."""
        self.start()
        await self._waiting.until(lambda: self.catalogue is not None)
        assert self.catalogue is not None
        return self.catalogue

    async def ask(self, order: Callable[[int], Describe | PlanOrder | UnloadOrder]) -> Answer:
        """Send the order made for a request number and return its answer; raises EngineFailed if the worker dies first."""
        number, answer = self._waiting.question()
        self.order(encode(order(number)))
        return await answer

    def listen_again(self) -> None:
        """The sockets' directory was removed and is there again."""
        if self._worker is not None:
            self._worker.listen_again()

    def order(self, payload: bytes) -> None:
        """Send an encoded order to the worker, if there is one."""
        if self._worker is not None:
            self._worker.order(payload)

    def replace(self, late: ReplaceWorker) -> None:
        """Kill the worker and start another."""
        why = "fell silent" if late.stalled else "did not end when cancelled"
        log.warning("the worker is replaced: jobs %s %s", late.jobs, why)
        self._late = late
        self._kill()

    def give_up(self, error: ComfydError) -> None:
        """Nobody waits for the engine any longer."""
        self._waiting.give_up(error)

    async def stop(self, now: bool) -> None:
        """End the worker, politely unless ``now``, and start none again."""
        self._stopping = True
        if self._life is not None:
            await self._end_life(self._life, now)
        self._context.destroy(linger=0)

    async def _end_life(self, life: asyncio.Task[None], now: bool) -> None:
        if self._worker is None:
            life.cancel()
        elif now or self.info.state != "ready":
            self._kill()
        else:
            self.order(encode(Shutdown(now=True)))
        if not (await asyncio.wait([life], timeout=_FAREWELL))[0]:
            self._kill()
            await asyncio.wait([life])

    # ------------------------------------------------------------ the life of a worker

    async def _live(self) -> None:
        try:
            launch = await self._find()
            delay: float | None = 0.0
            while delay is not None and not self._stopping:
                await asyncio.sleep(delay)
                launch, delay = await self._one_life(launch)
            self._change(EngineInfo(state="stopped"))
        except ComfydError as error:
            self._fail(error)
        except Exception as error:
            log.exception("the supervisor failed")
            self._fail(EngineFailed(f"The worker cannot be started ({error!r}); `comfyd logs` has the details."))

    async def _find(self) -> Launch:
        self._change(EngineInfo(state="starting", message="looking for ComfyUI"))
        launch = await in_thread(lambda: find(self._config, self._paths, self._installing))
        if launch.notice:
            log.warning("%s", launch.notice)
        file = self._catalogue_file = catalogue_file(launch, self._config, self._paths)
        catalogues.note_in_use(file, self._config)
        if self.catalogue is None:
            self.catalogue = await in_thread(lambda: catalogues.read_earlier(file, launch))
            self._waiting.changed()
        return launch

    async def _one_life(self, launch: Launch) -> tuple[Launch, float | None]:
        """From spawn to burial; returns what the next one is started with, and its delay, None after a stop."""
        self._start_failed, self.live, self.residents = None, False, []
        self._change(EngineInfo(state="starting", comfyui=launch.comfyui, version=launch.version))
        self._paths.data.mkdir(parents=True, exist_ok=True)
        worker = self._worker = Worker(self._paths, next(self._generations), self._context, self._receive)
        try:
            await worker.spawn(launch, self._config, self._paths)
        except OSError as error:
            self._worker = None
            raise EngineFailed(
                f"The interpreter {launch.python} cannot be run ({error.strerror}); set 'python' in the configuration to another."
            ) from error
        ended = await worker.ended()
        self._worker = None
        log.info("the worker %s", ended)
        self._waiting.unanswered(EngineFailed("The worker ended before it answered; try again."))
        if other := self._without_a_pack(launch, ended):
            return other, 0.0
        return launch, self._bury(ended)

    def _without_a_pack(self, launch: Launch, ended: Ended) -> Launch | None:
        """The same start without the node pack in whose import the worker died; None where that is not how it ended."""
        if self.info.state == "ready" or self._stopping or not (pack := autopsy.to_leave_out(ended, launch.left_out)):
            return None
        log.warning("the worker %s while it imported the node pack %s, which is left out", ended, pack)
        reason = f"the process {ended} while it was imported"
        return msgspec.structs.replace(launch, left_out=launch.left_out | {pack: reason})

    def _bury(self, ended: Ended) -> float | None:
        late, self._late = self._late, None
        if self.info.state != "ready" and not self._stopping:
            raise self._start_failed or autopsy.never_ready(ended)
        death = self._death(late, ended)
        self._change(EngineInfo(state="starting", message="the worker is restarted"))
        self._listener.worker_died(death)
        if self._stopping:
            return None
        if late is not None or death.culprits:
            return 0.0
        delay = self._restarts.died(self._loop.time())
        if delay is None:
            raise EngineFailed(f"The worker died too often (it {ended} this time); `comfyd logs` has its last words.", ended.tail)
        return delay

    def _death(self, late: ReplaceWorker | None, ended: Ended) -> Death:
        if late is not None and late.stalled:
            return autopsy.stall(late.jobs, ended, self._config.progress_deadline)
        return Death(counts=False) if late is not None or self._stopping else autopsy.death(ended)

    def _fail(self, error: ComfydError) -> None:
        log.error("%s", error.message)
        self._life = None
        self._change(EngineInfo(state="failed", message=error.message, comfyui=self.info.comfyui, version=self.info.version))
        self.give_up(error)
        self._listener.engine_failed(error)

    def _kill(self) -> None:
        if self._worker is not None:
            self._worker.kill()

    # ------------------------------------------------------------ what the worker says

    def _receive(self, message: FromWorker, payload: bytes) -> None:
        match message:
            case Ready():
                self._announcing = self._loop.create_task(self._announce(message))
            case StartFailed():
                self._start_failed = from_info(message.error)
            case Residency():
                self.residents = message.residents
                self._remember(message.memory)
            case Described(request=0, classes=classes):
                if self.catalogue is not None:
                    self.catalogue = self.catalogue.replace(classes)
            case Described() | Planned() | Unloaded():
                self._waiting.answered(message)
            case _:
                if isinstance(message, Progress) and message.memory is not None:
                    self._remember(message.memory)
                self._listener.job_event(message, payload)

    async def _announce(self, ready: Ready) -> None:
        worker = self._worker
        try:
            catalogue = await in_thread(lambda: catalogues.read(Path(ready.catalogue)))
        except Exception as error:
            self._start_failed = EngineFailed(f"The worker's node catalogue {ready.catalogue} cannot be read ({error}).")
            self._kill()
            return
        if worker is None or worker.over:
            return
        self.catalogue, self.live = catalogue, True
        log.info("engine ready: ComfyUI %s on %s, process %d", ready.version, ready.device, ready.pid)
        self._change(
            EngineInfo(
                state="ready",
                comfyui=ready.comfyui,
                version=ready.version,
                device=ready.device,
                pid=ready.pid,
                output_dir=ready.output_dir,
                input_dir=ready.input_dir,
                memory=ready.memory,
                failed_packs=ready.failed_packs,
            )
        )
        self._listener.engine_ready()

    def _remember(self, memory: Memory) -> None:
        self.info = msgspec.structs.replace(self.info, memory=memory)

    def _change(self, info: EngineInfo) -> None:
        self.info = info
        self._listener.engine_changed(info)
        self._waiting.changed()

    def _installing(self, message: str, fraction: float | None) -> None:
        """Called from the installing thread."""
        self._loop.call_soon_threadsafe(self._change, EngineInfo(state="installing", message=message, fraction=fraction))
