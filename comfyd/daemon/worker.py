"""One worker process and the socket to it, from its spawn to its end."""

import asyncio
import contextlib
import logging
import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import zmq

from comfyd.config import Config, Paths
from comfyd.protocol import FromWorker, decode_from_worker

from .autopsy import Ended, prepare_blackbox, read_blackbox, read_import
from .inlet import Inlet
from .launch import Launch, environment
from .output import Output

log = logging.getLogger("comfyd.supervisor")

_UNREADABLE = 3  # messages that do not decode before the worker counts as broken
_LAST_WORDS = 1.0  # seconds an ended worker's last messages may take through ZeroMQ's own thread

Receive = Callable[[FromWorker, bytes], None]


class Worker:
    """A worker that was spawned. Messages go to ``receive`` with their bytes until ``ended`` returns."""

    process: asyncio.subprocess.Process | None = None
    over = False

    def __init__(self, paths: Paths, generation: int, context: "zmq.Context[zmq.Socket[bytes]]", receive: Receive) -> None:
        name = f"worker-{generation % 100:02}"
        self._socket_file = paths.run / f"{name}.sock"
        self._blackbox = paths.run / f"{name}.box"
        self._receive = receive
        self._unreadable = 0
        self._doomed = False
        self._silent = asyncio.Event()
        self._silent.set()
        pair = context.socket(zmq.PAIR)
        pair.set_hwm(0)
        self._monitor = Inlet(pair.get_monitor_socket(zmq.EVENT_ACCEPTED | zmq.EVENT_DISCONNECTED), self._connection)
        pair.bind(self.address)
        self._inlet = Inlet(pair, self._message)
        self._output = Output(self._executing)

    @property
    def address(self) -> str:
        return f"ipc://{self._socket_file}"

    async def spawn(self, launch: Launch, config: Config, paths: Paths) -> None:
        """Start the process; raises OSError when its interpreter cannot be run."""
        prepare_blackbox(self._blackbox)
        try:
            # From the main thread: the worker asks to be killed when the thread that started it ends.
            self.process = await asyncio.create_subprocess_exec(
                *launch.command,
                stdin=subprocess.PIPE,
                stdout=self._output.write_end,
                stderr=self._output.write_end,
                cwd=paths.data,
                env=environment(launch, config, paths, self.address, self._blackbox),
                start_new_session=True,
            )
        except BaseException:
            self._close()
            raise
        finally:
            self._output.started()
        log.info("worker %d started", self.process.pid)
        if self._doomed:
            self.kill()

    def listen_again(self) -> None:
        """Await the process also where the socket's path was removed before it came."""
        if not self.over and not self._socket_file.exists():
            self._inlet.socket.bind(self.address)
            prepare_blackbox(self._blackbox)

    def order(self, payload: bytes) -> None:
        """Send an encoded order; lost when the worker has just died, which its jobs learn otherwise."""
        with contextlib.suppress(zmq.Again):
            self._inlet.socket.send(payload, zmq.NOBLOCK)
        self._inlet.sent()

    def kill(self) -> None:
        """End the process at once, or as soon as it is there."""
        self._doomed = True
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()

    async def ended(self) -> Ended:
        """Wait for the process' end; what it sent before has been received then."""
        assert self.process is not None
        code = await self.process.wait()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._silent.wait(), _LAST_WORDS)
        self._inlet.drain()
        culprit, pack = read_blackbox(self._blackbox), read_import(self._blackbox)
        self._close()
        return Ended(code, culprit, self._output.tail, pack)

    def _message(self, frames: list[bytes]) -> None:
        try:
            message = decode_from_worker(frames[0])
        except msgspec.MsgspecError as error:
            self._unreadable += 1
            log.error("a message of the worker does not decode: %s", error)
            if self._unreadable >= _UNREADABLE:
                log.error("the worker is replaced")
                self.kill()
            return
        self._receive(message, frames[0])

    @property
    def importing(self) -> str:
        """The node pack that is being imported, if one is."""
        return read_import(self._blackbox)

    def _executing(self) -> int | None:
        culprit = read_blackbox(self._blackbox)
        return culprit.job if culprit else None

    def _connection(self, frames: list[bytes]) -> None:
        event = int.from_bytes(frames[0][:2], "little")
        (self._silent.set if event == zmq.EVENT_DISCONNECTED else self._silent.clear)()

    def _close(self) -> None:
        self.over = True
        self._inlet.socket.disable_monitor()
        self._monitor.close()
        self._inlet.close()
        self._output.close()
        for file in (self._socket_file, self._blackbox):
            Path(file).unlink(missing_ok=True)
