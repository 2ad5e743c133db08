"""The commands on workflows: run, repl, params."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from comfyd.errors import ExitStatus, UsageError
from comfyd.protocol import Accepted, Submit, ToClient

from .terminal import Terminal

if TYPE_CHECKING:
    from comfyd.client import Client

    from .display import Display


def run(  # noqa: PLR0913 - the command's own options
    terminal: Terminal,
    *,
    workflow: str,
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]] = (),
    output: str | None,
    json: bool,
    quiet: bool,
    detach: bool,
    no_start: bool,
    mode: str | None,
) -> int:
    """Run a workflow; everything that can be refused is refused before the daemon is asked."""
    from .connection import connected
    from .display import display_for
    from .follow import report, run_job
    from .given import load
    from .uploads import uploaded

    check(output, json=json, detach=detach, terminal=terminal)
    given = load(terminal, workflow)
    if output is not None and given.api is not None:
        from .output import check_suffix

        check_suffix(output, given.api, terminal)
    words, overrides = uploaded(terminal, given, words, overrides, start=not no_start, quiet=quiet)
    submit = Submit(
        api=given.api,
        ui=given.ui,
        workflow=given.name,
        words=words,
        overrides=overrides,
        aliases=given.aliases,
        mode=mode_of(mode),
        follow=not detach,
    )
    display = display_for(terminal, json=json, quiet=quiet)
    with connected(terminal, start=not no_start, quiet=quiet) as client:
        if detach:
            return leave(client, submit, display, terminal, json=json)
        outcome = run_job(client, submit, display, terminal)
    return report(outcome, terminal, output=output, json=json, quiet=quiet)


def mode_of(given: str | None) -> str:
    """The mode asked for by option or environment; empty where the daemon's own counts. Raises InvalidValue."""
    import os

    from comfyd.modes import EXACT, chosen

    asked = given or os.environ.get("COMFYD_MODE", "")
    chosen(asked, EXACT)
    return asked


def check(output: str | None, *, json: bool, detach: bool, terminal: Terminal) -> None:
    """Raises UsageError for options that do not go together, and where the output cannot be."""
    if output is None:
        return
    if detach:
        raise UsageError("--detach leaves nobody to copy the files for -o; use one of the two.")
    if output == "-" and json:
        raise UsageError("--json and -o - both write to stdout; use one of the two.")
    from . import output as copying

    copying.check(output, terminal)


def leave(client: "Client", submit: Submit, display: "Display", terminal: Terminal, *, json: bool) -> int:
    """Wait until the job is in the journal, which on a bare machine takes an engine to check it against."""
    accepted: ToClient | None = None
    try:
        for accepted in client.stream(submit):
            if not isinstance(accepted, Accepted):
                display.show(accepted)
    finally:
        display.close()
    assert isinstance(accepted, Accepted)
    if json:
        terminal.json(accepted)
    else:
        terminal.out(str(accepted.job))
    return ExitStatus.DONE


def repl(terminal: Terminal, *, workflow: str | None, no_start: bool, mode: str | None) -> int:
    """Open the prompt, or read lines where stdin is no terminal."""
    from .repl import open_repl

    return open_repl(terminal, workflow or "demo", start=not no_start, mode=mode_of(mode))


def params(terminal: Terminal, *, workflow: str, json: bool, no_start: bool) -> int:
    """List a workflow's parameters, by the newest catalogue."""
    from comfyd.workflow import parameters, prepare

    from .catalogue import catalogue
    from .given import load
    from .parameters import show

    given = load(terminal, workflow)
    known = catalogue(terminal, start=not no_start)
    found = parameters(prepare(given.api, given.ui, known), known, given.aliases)
    show(found, terminal, json=json)
    return ExitStatus.DONE
