"""Follows a job to its end; what Ctrl-C does meanwhile depends on whose job it is."""

from typing import NamedTuple

from msgspec.structs import replace

from comfyd.client import Client
from comfyd.errors import ComfydError, ExitStatus, Unavailable, from_info
from comfyd.protocol import Cancel, Cancelled, Done, Failed, JobEnd, Submit, Watch

from .display import Display
from .terminal import Terminal
from .text import count, printable, size, span


class Outcome(NamedTuple):
    """How following ended."""

    end: JobEnd
    interrupted: bool = False
    """By Ctrl-C, here."""


def run_job(client: Client, request: Submit | Watch, display: Display, terminal: Terminal) -> Outcome:
    """Submit, or take up again, and follow; Ctrl-C cancels the job, a second one leaves while it is being cancelled."""
    job = getattr(request, "job", 0)
    try:
        for message in client.stream(replace(request, preview=display.previews)):
            job = getattr(message, "job", job)
            display.show(message)
    except KeyboardInterrupt:
        display.close()
        if not job:
            raise
        return Outcome(_cancel(client, job, terminal), interrupted=True)
    finally:
        display.close()
    return Outcome(_end(message))


def _cancel(client: Client, job: int, terminal: Terminal) -> JobEnd:
    cancelling = client.stream(Cancel(job=job))  # is sent before anything is said: a second Ctrl-C may follow at once
    try:
        terminal.note(f"cancelling job {job}; Ctrl-C again leaves at once")
        for _ in cancelling:
            pass
        return _end(client.call(Watch(job=job)))
    except KeyboardInterrupt:
        terminal.note(f"left; job {job} goes on being cancelled")
        raise


def watch_job(client: Client, job: int, display: Display, terminal: Terminal) -> Outcome:
    """Follow somebody's job; Ctrl-C leaves it running."""
    try:
        for message in client.stream(Watch(job=job, preview=display.previews)):
            display.show(message)
    except KeyboardInterrupt:
        display.close()
        terminal.note(f"left; job {job} goes on, and comfyd watch {job} comes back to it")
        raise
    finally:
        display.close()
    return Outcome(_end(message))


def _end(message: object) -> JobEnd:
    if isinstance(message, Done | Failed | Cancelled):
        return message
    raise ComfydError(f"The daemon ended a job with {type(message).__name__}; comfyd logs may say why.")


def report(outcome: Outcome, terminal: Terminal, *, output: str | None = None, json: bool = False, quiet: bool = False) -> int:
    """Tell the end, put the files where they were asked for, and give the exit status."""
    match outcome.end:
        case Done() as done:
            files = _delivered(done, output, terminal) if output else done.files
            _tell_done(done, files, terminal, json=json, quiet=quiet)
            if not (json or quiet or output == "-"):
                _show(files, terminal)
            status = ExitStatus.DONE
        case Failed() as failed:
            status = _tell_failed(failed, terminal, json=json)
        case Cancelled() as cancelled:
            if json:
                terminal.json(cancelled)
            terminal.note(f"job {cancelled.job} was cancelled", dim=False)
            status = ExitStatus.FAILED
    return ExitStatus.INTERRUPTED if outcome.interrupted else status


def _delivered(done: Done, output: str, terminal: Terminal) -> list[str]:
    from .output import deliver

    return deliver(done.files, output, terminal)


def _tell_done(done: Done, files: list[str], terminal: Terminal, *, json: bool, quiet: bool) -> None:
    if json:
        import msgspec

        terminal.json(msgspec.to_builtins(done) | {"files": files})
        return
    if not quiet:
        terminal.success(summary(done))
    for file in files:
        terminal.foreign(file)


def _show(files: list[str], terminal: Terminal) -> None:
    """The pictures themselves, where the terminal can."""
    from .preview.kinds import wanted

    if files and wanted(terminal):
        from .preview.finished import show

        show(terminal, files)


def summary(done: Done) -> str:
    """``done in 0.61 s · 3 of 7 nodes · peak 1.2 GB``."""
    facts = [f"done in {span(done.seconds)}", f"{len(done.executed)} of {count(done.nodes_total, 'node')}"]
    if done.peak_memory:
        facts.append(f"peak {size(done.peak_memory)}")
    if done.mode:
        facts.append(done.mode)
    return " · ".join(facts)


def _tell_failed(failed: Failed, terminal: Terminal, *, json: bool) -> ExitStatus:
    if json:
        terminal.json(failed)
    error = from_info(failed.error)
    terminal.error(printable(error.message))
    return ExitStatus.UNAVAILABLE if isinstance(error, Unavailable) else ExitStatus.FAILED
