"""The command plan: what a run would do, why, and what that is likely to cost, before anything runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from comfyd.errors import ExitStatus
from comfyd.protocol import PlannedNode, PlanReply, PlanRequest

from .terminal import Terminal
from .text import count, printable, size, span

if TYPE_CHECKING:
    from .prompt.session import Session

HEADERS = ("NODE", "NAME", "STATE", "REASON", "TIME")
_NAMES = 12
"""Nodes that a line names; the rest is counted."""
_ROWS = 40
"""Cached nodes that are listed one by one."""
_RUNS = ("run", "maybe")


def plan(
    terminal: Terminal,
    *,
    workflow: str,
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]] = (),
    json: bool,
    no_start: bool,
    mode: str | None,
) -> int:
    """Ask the daemon, and show its answer."""
    from .connection import answered, connected
    from .display import display_for
    from .given import load
    from .uploads import uploaded

    given = load(terminal, workflow)
    words, overrides = uploaded(terminal, given, words, overrides, start=not no_start)
    asked = mode or terminal.environ.get("COMFYD_MODE", "")
    request = given.request(PlanRequest, words=words, overrides=overrides, mode=asked)
    display = display_for(terminal, json=json)
    with connected(terminal, start=not no_start) as client:
        reply = answered(client, request, display)
    assert isinstance(reply, PlanReply)
    show(reply, terminal, json=json)
    return ExitStatus.DONE


def in_session(session: "Session", *, words: Sequence[str], json: bool, mode: str | None) -> int:
    """Plan with the values so far and these, which do not stay."""
    return plan(
        session.terminal,
        workflow=session.workflow,
        words=(),
        overrides=list(session.with_values(words).items()),
        json=json,
        no_start=not session.start,
        mode=mode or session.mode,
    )


def show(reply: PlanReply, terminal: Terminal, *, json: bool) -> None:
    """Print the plan: what it comes to, one line for each change, and the nodes."""
    if json:
        terminal.json(reply)
        return
    from .table import show as show_table

    terminal.heading(headline(reply))
    for line in summary(reply):
        terminal.out(printable(line))
    if reply.against and any(node.changes for node in reply.nodes):
        terminal.note(f"compared with job {reply.against}")
    if reply.note:
        terminal.note(printable(reply.note))
    if any(node.state in _RUNS for node in reply.nodes):
        terminal.out("")
        show_table(terminal, HEADERS, rows(reply), numbers=("TIME",), flexible=("NAME", "REASON"), optional=("NODE", "REASON"))


def headline(reply: PlanReply) -> str:
    """``3 of 7 nodes would run: about 1.4 s, peak about 1.2 GB``."""
    run = [node for node in reply.nodes if node.state == "run"]
    if any(node.state == "unknown" for node in reply.nodes):
        return f"What of {count(len(reply.nodes), 'node')} would run is not known now"
    if not run:
        return f"Nothing would run: {count(len(reply.nodes), 'node')}, all that is needed is cached"
    facts = [_time(reply), *_memory(reply)]
    if reply.ahead:
        facts.append(f"{count(reply.ahead, 'job')} before it")
    return f"{len(run)} of {count(len(reply.nodes), 'node')} would run: {', '.join(facts)}"


def _time(reply: PlanReply) -> str:
    if reply.seconds is None:
        return "time unknown"
    if reply.untimed:
        return f"{span(reply.seconds)} and {count(reply.untimed, 'node')} of unknown time"
    return f"about {span(reply.seconds)}"


def _memory(reply: PlanReply) -> list[str]:
    facts = [f"loads {size(reply.memory.loads)}"] if reply.memory.loads else []
    return [*facts, f"peak about {size(reply.memory.peak)}" if reply.memory.peak else "memory unknown"]


def summary(reply: PlanReply) -> list[str]:
    """One line for each node that is a cause, then one for each reason that several share."""
    from comfyd.workflow.wording import listed

    names = _names(reply.nodes)
    causes = {root for node in reply.nodes for root in node.roots}
    lines: list[str] = []
    shared: dict[str, list[str]] = {}
    for node in reply.nodes:
        if node.cause in ("changed", "file", "always", "new") and (node.state in _RUNS or node.node in causes):
            cached = ", which is cached" if node.state == "cached" else ""
            lines.append(f"{names[node.node]}: {node.reason}{cached}")
        elif node.state in _RUNS:
            shared.setdefault(_shared(node), []).append(names[node.node])
    return [*lines, *(f"{listed(of, _NAMES)}: {reason}" for reason, of in shared.items())]


def _shared(node: PlannedNode) -> str:
    """A reason as it is told of all nodes that have it."""
    if node.state == "maybe":
        return "only if another node asks for it"
    return "downstream" if node.cause == "downstream" else node.reason


def rows(reply: PlanReply) -> list[list[str]]:
    """Cells of the table: what runs, then what is cached; the rest of many cached nodes is only counted."""
    run = [node for node in reply.nodes if node.state in _RUNS]
    kept = [node for node in reply.nodes if node.state not in _RUNS]
    cells = [_row(node) for node in [*run, *kept[:_ROWS]]]
    return [*cells, ["", f"{len(kept) - _ROWS} more", "cached", "", ""]] if len(kept) > _ROWS else cells


def _row(node: PlannedNode) -> list[str]:
    state = {"idle": "not needed"}.get(node.state, node.state)
    return [node.node, node.title, state, node.reason, _seconds(node)]


def _seconds(node: PlannedNode) -> str:
    if node.state != "run":
        return ""
    if node.seconds is None:
        return "?"
    return f"{'~' if node.basis != 'measured' else ''}{span(node.seconds)}"


def _names(nodes: Sequence[PlannedNode]) -> dict[str, str]:
    """Titles, with the id where a title recurs."""
    from comfyd.workflow.planning.plan import labels

    return labels({node.node: node.title for node in nodes})
