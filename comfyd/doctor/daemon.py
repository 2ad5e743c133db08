"""The daemon: whether one runs and is of this version, and whether its sockets can be there."""

import os
from collections.abc import Iterator
from pathlib import Path

from comfyd import __version__
from comfyd.client import Client
from comfyd.config import Config, Paths
from comfyd.errors import ComfydError, DaemonUnavailable
from comfyd.protocol import StatusReply, StatusRequest
from comfyd.starting import listens

from .finding import Finding, ok, problem, warning
from .setup import Setup

_ANSWER = 5.0  # seconds


def examine(setup: Setup) -> Iterator[Finding]:
    """The socket's directory, then the daemon behind the socket."""
    config, paths = setup.config, setup.paths
    if complaint := _directory(paths.run):
        yield complaint
    elif listens(paths):
        yield _running(config, paths)
    elif paths.socket.exists():
        text = f"{paths.socket} is left of a daemon that died"
        yield warning("daemon", text, "Nothing needs to be done: the next start takes its place.")
    else:
        yield ok("daemon", f"not running; the next command starts it ({paths.socket})")


def _directory(run: Path) -> Finding | None:
    there = next(path for path in (run, *run.parents) if path.exists())
    if not there.is_dir():
        return problem("socket", f"{there} is no directory", "Remove it, or set XDG_RUNTIME_DIR or COMFYD_HOME.")
    if run.exists() and run.stat().st_uid != os.getuid():
        return problem(
            "socket", f"{run} belongs to another user", "Set XDG_RUNTIME_DIR or COMFYD_HOME to a directory of your own."
        )
    if not os.access(there, os.W_OK | os.X_OK):
        return problem("socket", f"{there} cannot be written", "Make it writable, or set XDG_RUNTIME_DIR or COMFYD_HOME.")
    return None


def _running(config: Config, paths: Paths) -> Finding:
    try:
        with Client(config, paths).connect(start=False) as client:
            reply = client.call(StatusRequest(), _ANSWER)
    except DaemonUnavailable as error:
        return problem("daemon", error.message, "`comfyd restart --now` replaces it; its jobs are kept.")
    except ComfydError as error:
        return problem("daemon", error.message, "`comfyd restart` starts this version; its jobs are kept.")
    assert isinstance(reply, StatusReply)
    jobs = f"{len(reply.running)} running, {reply.queued} queued"
    doing = f" ({reply.engine.message})" if reply.engine.state == "starting" and reply.engine.message else ""
    text = f"comfyd {reply.version}, pid {reply.pid}, engine {reply.engine.state}{doing}, {jobs}"
    if reply.engine.state == "failed":
        return problem("daemon", f"{text}: {reply.engine.message}", "Mend that, then `comfyd restart`; `comfyd logs` has more.")
    if reply.version != __version__:
        return warning("daemon", f"{text}; the command is {__version__}", "`comfyd restart` starts this version.")
    return ok("daemon", text)
