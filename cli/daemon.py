"""The commands on the daemon: start, stop, restart, status, logs."""

import os
import sys
import time
from contextlib import suppress

from msgspec.structs import replace

from comfyd.client import Client, stop_daemon
from comfyd.config import hand_on
from comfyd.errors import DaemonStopping, DaemonUnavailable, ExitStatus, Unavailable, UsageError
from comfyd.protocol import EngineInfo, StatusReply, StatusRequest, Stopped

from .chosen import require
from .connection import ANSWER_LIMIT, connected
from .terminal import Terminal
from .text import ago, count


def start(terminal: Terminal, *, foreground: bool, log_json: bool, json: bool) -> int:
    """Start the daemon, or say that one runs."""
    if log_json:
        terminal.config = replace(terminal.config, log_json=True)
    if foreground:
        _become_daemon(terminal)
    with Client(terminal.config, terminal.paths) as client:
        try:
            client.connect(start=False)
            word = "runs already"
            if terminal.comfyui is not None:
                require(client, terminal.comfyui)
        except DaemonUnavailable:
            client.connect(start=True)
            word = "runs"
        reply = client.call(StatusRequest(), ANSWER_LIMIT)
    assert isinstance(reply, StatusReply)
    if reply.stopping:
        raise DaemonStopping("The daemon is stopping; `comfyd restart` waits for its end and starts it again.")
    if json:
        terminal.json(reply)
    else:
        terminal.out(f"comfyd {reply.version} {word} (pid {reply.pid}); {engine_line(reply.engine)}")
    return ExitStatus.DONE


def _become_daemon(terminal: Terminal) -> None:
    terminal.stdout.flush()
    environment = os.environ | hand_on(terminal.config, terminal.paths)
    os.execve(sys.executable, [sys.executable, "-P", "-m", "comfyd.daemon", "--foreground"], environment)


def stop(terminal: Terminal, *, now: bool, json: bool) -> int:
    """Stop the daemon; when it has answered, its socket is free for another one."""
    if not now:
        _tell_what_is_waited_for(terminal)
    reply = stop_daemon(terminal.config, terminal.paths, now)
    if reply is None:
        return _stopped(Stopped(), "no daemon runs", terminal, json=json)
    requeued = f"; {count(len(reply.requeued), 'job')} in the queue for its next start" if reply.requeued else ""
    return _stopped(reply, f"comfyd is stopped{requeued}", terminal, json=json)


def _tell_what_is_waited_for(terminal: Terminal) -> None:
    """Name the jobs that run, where a daemon of this version can be asked."""
    with suppress(Unavailable), Client(terminal.config, terminal.paths).connect(start=False) as client:
        status = client.call(StatusRequest(), ANSWER_LIMIT)
        assert isinstance(status, StatusReply)
        if status.running:
            jobs = count(len(status.running), "running job")
            terminal.note(f"waiting for {jobs}; comfyd stop --now puts them back into the queue")


def _stopped(reply: Stopped, sentence: str, terminal: Terminal, *, json: bool) -> int:
    if json:
        terminal.json(reply)
    else:
        terminal.out(sentence)
    return ExitStatus.DONE


def restart(terminal: Terminal, *, now: bool, log_json: bool, json: bool) -> int:
    """Stop, then start."""
    stop(terminal, now=now, json=json)
    return start(terminal, foreground=False, log_json=log_json, json=json)


def status(terminal: Terminal, *, json: bool) -> int:
    """Say how daemon and engine are; no daemon is an error, and none is started."""
    with connected(terminal, start=False) as client:
        reply = client.call(StatusRequest(), ANSWER_LIMIT)
    assert isinstance(reply, StatusReply)
    if json:
        terminal.json(reply)
        return ExitStatus.DONE
    for name, value in status_rows(reply, time.time()):
        terminal.out(f"{name:8} {value}")
    return ExitStatus.DONE


def status_rows(reply: StatusReply, now: float) -> list[tuple[str, str]]:
    """What ``status`` says, name by name."""
    from .layout import memory

    engine = reply.engine
    doing = "stopping once its running jobs have ended" if reply.stopping else f"started {ago(now - reply.started)}"
    rows = [
        ("daemon", f"comfyd {reply.version}, pid {reply.pid}, {doing}"),
        ("socket", reply.socket),
        ("engine", engine_line(engine).removeprefix("engine ")),
    ]
    if engine.comfyui:
        rows.append(("comfyui", f"{engine.version} in {engine.comfyui}".strip()))
    if engine.memory:
        rows.append(("memory", f"{memory(engine.memory)} ({engine.device or engine.memory.device})"))
    if engine.output_dir:
        rows.append(("output", engine.output_dir))
    if engine.failed_packs:
        rows.append(("failed", "custom nodes that could not be imported: " + ", ".join(engine.failed_packs)))
    if reply.notice:
        rows.append(("journal", reply.notice))
    rows.append(("jobs", f"{len(reply.running)} running, {reply.queued} queued"))
    return rows


def engine_line(engine: EngineInfo) -> str:
    """``engine starting: loading custom nodes``."""
    share = f" {engine.fraction:.0%}" if engine.fraction is not None else ""
    return f"engine {engine.state}{share}" + (f": {engine.message}" if engine.message else "")


def logs(terminal: Terminal, *, follow: bool, count: int) -> int:
    """Print the log's last lines, and what is added to it."""
    from .tail import added, last

    log = terminal.paths.log
    if not log.exists() and not follow:
        raise UsageError(f"There is no log yet; comfyd start writes {log}.")
    lines, end = last(log, count)
    for line in lines:
        terminal.foreign(line)
    try:
        for line in added(log, end) if follow else ():
            terminal.foreign(line)
    except KeyboardInterrupt:
        pass
    return ExitStatus.DONE
