"""The daemon's process: ``python -m comfyd.daemon [--foreground | --detached FD]``.

``--detached`` leaves the caller's session and writes one line to the file descriptor: an empty one once the daemon
answers, or why it never will, as JSON of ErrorInfo.
"""

import asyncio
import logging
import os
import signal
import sys

import msgspec

from comfyd.collecting import collect_seldom
from comfyd.config import Config, Paths, received
from comfyd.errors import ComfydError, DaemonUnavailable, UsageError

from .lock import Locks
from .logs import open_log
from .loop import Daemon
from .reachable import stay_reachable

log = logging.getLogger("comfyd.daemon")


def main() -> int:
    """Run to the end; returns the exit status."""
    collect_seldom()
    report = None
    try:
        report = _arguments(sys.argv[1:])
        config, paths = received()
        locks = Locks(paths)
        open_log(paths, config, foreground=report is None)
        asyncio.run(_run(config, paths, locks, report))
    except (ComfydError, OSError) as error:
        reason = error if isinstance(error, ComfydError) else _sentence(error)
        _tell(report, msgspec.json.encode(reason.info()))
        print(reason.message, file=sys.stderr)
        return reason.exit_status
    return 0


async def _run(config: Config, paths: Paths, locks: Locks, report: int | None) -> None:
    daemon = Daemon(config, paths)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, daemon.signalled)
    daemon.start()
    log.info("daemon %d listens on %s", os.getpid(), paths.socket)
    _tell(report, b"")
    reachable = loop.create_task(stay_reachable(paths.socket, locks, daemon.listen))
    await daemon.serve()
    reachable.cancel()
    await daemon.close(locks.release)


def _arguments(arguments: list[str]) -> int | None:
    """The file descriptor to report to, None in the foreground; by hand, as argparse would take a tenth of the start."""
    match arguments:
        case [] | ["--foreground"]:
            return None
        case ["--detached", number] if number.isdecimal():
            _detach()
            return int(number)
    raise UsageError("usage: python -m comfyd.daemon [--foreground | --detached FD]")


def _detach() -> None:
    """Go on as a child of nobody in a session of its own, so that no terminal's end and no parent's wait concerns it."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.chdir("/")


def _sentence(error: OSError) -> DaemonUnavailable:
    return DaemonUnavailable(f"The daemon cannot start ({error}); correct that and try again.")


def _tell(report: int | None, line: bytes) -> None:
    if report is not None:
        os.write(report, line + b"\n")
        os.close(report)


if __name__ == "__main__":
    sys.exit(main())
