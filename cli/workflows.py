"""The commands on workflows: run, repl, params."""

from collections.abc import Sequence

from comfyd.errors import UsageError
from comfyd.protocol import Submit

from .terminal import Terminal


def run(
    terminal: Terminal,
    *,
    workflow: str,
    parameters: Sequence[tuple[str, str]],
    output: str | None,
    json: bool,
    quiet: bool,
    detach: bool,
    no_start: bool,
) -> int:
    """Run a workflow; everything that can be refused is refused before the daemon is asked."""
    from comfyd.workflow import load

    from .connection import connected

    _check(output, json=json, detach=detach, terminal=terminal)
    name, graph = load(workflow, terminal.stdin)
    submit = Submit(graph=graph, workflow=name, overrides=list(parameters), follow=not detach)
    with connected(terminal, start=not no_start) as client:
        if detach:
            return _leave(client.call(submit), terminal, json=json)
        from .display import display_for
        from .follow import report, run_job

        outcome = run_job(client, submit, display_for(terminal, json=json, quiet=quiet), terminal)
    return report(outcome, terminal, output=output, json=json, quiet=quiet)


def _check(output: str | None, *, json: bool, detach: bool, terminal: Terminal) -> None:
    if output is None:
        return
    if detach:
        raise UsageError("--detach leaves nobody to copy the files for -o; use one of the two.")
    if output == "-" and json:
        raise UsageError("--json and -o - both write to stdout; use one of the two.")
    from .output import check

    check(output, terminal)


def _leave(accepted: object, terminal: Terminal, *, json: bool) -> int:
    from comfyd.protocol import Accepted

    assert isinstance(accepted, Accepted)
    if json:
        terminal.json(accepted)
    else:
        terminal.out(str(accepted.job))
    return 0


def repl(terminal: Terminal, *, workflow: str | None, no_start: bool) -> int:
    """Open the prompt, or read lines where stdin is no terminal."""
    from .repl import open_repl

    return open_repl(terminal, workflow or "demo", start=not no_start)


def params(terminal: Terminal, *, workflow: str, json: bool, no_start: bool) -> int:
    """List a workflow's parameters, by the newest catalogue."""
    from comfyd.workflow import load, parameters

    from .catalogue import catalogue
    from .parameters import show

    _, graph = load(workflow, terminal.stdin)
    found = parameters(graph, catalogue(terminal, start=not no_start))
    show(found, terminal, json=json)
    return 0
