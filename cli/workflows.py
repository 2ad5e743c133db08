"""The commands on workflows: run, repl, params."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from comfyd.errors import ExitStatus, UsageError
from comfyd.protocol import Accepted, Submit

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

    check(output, json=json, detach=detach, terminal=terminal)
    submit = submission(terminal, workflow, words, overrides, output=output, start=not no_start, quiet=quiet, mode=mode_of(mode))
    display = display_for(terminal, json=json, quiet=quiet)
    with connected(terminal, start=not no_start, quiet=quiet) as client:
        if detach:
            return leave(client, replace(submit, follow=False), display, terminal, json=json)
        outcome = run_job(client, submit, display, terminal)
    return report(outcome, terminal, output=output, json=json, quiet=quiet)


def submission(
    terminal: Terminal,
    workflow: str,
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]],
    *,
    output: str | None = None,
    start: bool,
    quiet: bool = False,
    mode: str = "",
) -> Submit:
    """The request that runs a workflow with these values, local files put where the engine finds them."""
    from .given import load
    from .uploads import uploaded

    given = load(terminal, workflow)
    if output is not None and given.api is not None:
        from .output import check_suffix

        check_suffix(output, given.api, terminal)
    words, overrides = uploaded(terminal, given, words, overrides, start=start, quiet=quiet)
    return given.request(Submit, words=words, overrides=overrides, mode=mode)


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
    """Hand the job in, and tell its number."""
    tell_accepted(accepted(client, submit, display), terminal, json=json)
    return ExitStatus.DONE


def accepted(client: "Client", submit: Submit, display: "Display") -> Accepted:
    """Wait until the job is in the journal, which on a bare machine takes an engine to check it against."""
    from .connection import answered

    reply = answered(client, submit, display)
    assert isinstance(reply, Accepted)
    return reply


def tell_accepted(accepted: Accepted, terminal: Terminal, *, json: bool) -> None:
    """The number of a job that nobody here follows."""
    if json:
        terminal.json(accepted)
    else:
        terminal.out(str(accepted.job))


def repl(terminal: Terminal, *, workflow: str | None, no_start: bool, mode: str | None) -> int:
    """Open the prompt, or read lines where stdin is no terminal."""
    from .prompt.opening import open_repl

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
