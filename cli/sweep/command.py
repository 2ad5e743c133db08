"""The command sweep, in the shell and in the REPL."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from comfyd.errors import DaemonUnavailable, UsageError
from comfyd.protocol import StatusReply, StatusRequest, Submit
from comfyd.workflow.sweep import place

from ..connection import ANSWER_LIMIT, connected
from ..terminal import Terminal
from ..text import count
from .ending import told
from .manifest import Manifest
from .points import Point
from .preparing import Asked, Prepared, prepare
from .running import KEY, Running
from .shown import shown_for

if TYPE_CHECKING:
    from comfyd.client import Client
    from comfyd.workflow import Document

    from ..prompt.session import Session

_ASKED = 1000
"""Pictures beyond which the user is asked."""


def sweep(  # noqa: PLR0913 - the command's own options
    terminal: Terminal,
    *,
    workflow: str,
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]] = (),
    output: str | None,
    zip: bool,
    html: bool,
    json: bool,
    quiet: bool,
    detach: bool,
    yes: bool,
    mode: str | None,
    no_start: bool,
) -> int:
    """Run every combination of the values, or with ``zip`` each with its own; ``overrides`` come before the words."""
    from ..given import load
    from ..workflows import mode_of

    asked = Asked(
        output=output,
        zip=zip,
        html=html,
        json=json,
        quiet=quiet,
        detach=detach,
        yes=yes,
        mode=mode_of(mode),
        start=not no_start,
    )
    given = load(terminal, workflow)
    with Manifest(Path(output or f"{_plain(given.name)}-sweep")) as manifest:
        return _swept(terminal, given, words, overrides, asked, manifest)


def in_session(  # noqa: PLR0913 - the command's own options
    session: "Session",
    *,
    words: Sequence[str],
    output: str | None,
    zip: bool,
    html: bool,
    json: bool,
    quiet: bool,
    detach: bool,
    yes: bool,
    mode: str | None,
) -> int:
    """Sweep with the values so far and these, which do not stay."""
    return sweep(
        session.terminal,
        workflow=session.workflow,
        words=words,
        overrides=list(session.values.items()),
        output=output,
        zip=zip,
        html=html,
        json=json,
        quiet=quiet,
        detach=detach,
        yes=yes,
        mode=mode or session.mode,
        no_start=not session.start,
    )


def _plain(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip("-.") or "workflow"


def _swept(
    terminal: Terminal,
    given: "Document",
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]],
    asked: Asked,
    manifest: Manifest,
) -> int:
    prepared = prepare(terminal, given, words, overrides, asked, manifest)
    _confirm(prepared.points, terminal, asked)
    manifest.begin()
    began = time.monotonic()
    shown = shown_for(terminal, len(prepared.points), json=asked.json, quiet=asked.quiet)
    with connected(terminal, start=asked.start, quiet=asked.quiet) as client:
        limit = min(2 * max(terminal.config.max_running, 1) + 2, terminal.config.max_queue)
        submit = _submission(prepared, asked)
        running = Running(client, prepared.points, submit, manifest, shown, terminal, limit)
        interrupted = False
        try:
            if asked.detach:
                _check_room(client, prepared.points, manifest, terminal.config.max_queue)
                running.hand_in()
            else:
                running.run()
        except KeyboardInterrupt:
            interrupted = True
        except DaemonUnavailable as error:
            raise DaemonUnavailable(f"{error.message.rstrip('.')}; the same sweep again goes on where this one ended.") from error
        finally:
            shown.close()
    return told(terminal, prepared, running.records, asked, time.monotonic() - began, interrupted=interrupted)


def _confirm(points: Sequence[Point], terminal: Terminal, asked: Asked) -> None:
    if len(points) > _ASKED and not asked.yes and not terminal.ask(f"That is {len(points):,} pictures. Make them all?"):
        raise UsageError("Nothing was run; give fewer values.")


def _check_room(client: "Client", points: Sequence[Point], manifest: Manifest, most: int) -> None:
    status = client.call(StatusRequest(), ANSWER_LIMIT)
    assert isinstance(status, StatusReply)
    missing = sum(manifest.done(point.key) is None and manifest.job(point.key) is None for point in points)
    room = max(0, most - status.queued)
    if missing > room:
        raise UsageError(
            f"{count(missing, 'job')} would not fit into the queue, which has room for {room}; "
            "without --detach the sweep hands them in bit by bit."
        )


def _submission(prepared: Prepared, asked: Asked) -> Callable[[Point], Submit]:
    given = prepared.given
    total, name = len(prepared.points), prepared.directory.resolve().name

    def submit(point: Point) -> Submit:
        sweep = place(point.number, total, name)
        return given.request(Submit, overrides=point.overrides, mode=asked.mode, extra_data={KEY: point.key}, sweep=sweep)

    return submit
