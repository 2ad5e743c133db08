"""The rows that show a running job in a given width. Pure: styled pieces of text, which live.py hands to rich."""

from collections.abc import Iterable

from rich.cells import cell_len

from comfyd.protocol import EngineInfo, Memory

from .table import cut
from .text import clock, printable, rate, size
from .view import Running, View

Piece = tuple[str, str]
"""Text and a rich style."""
Row = list[Piece]

_BAR = (8, 40)


def rows(view: View, width: int, now: float, spinner: str) -> list[Row]:
    """What to draw now: one row on what happens, one on the whole."""
    if view.started:
        return [_node_row(view, width, now, spinner), _job_row(view, width, now)]
    return [_waiting_row(view, width, now, spinner)]


def _waiting_row(view: View, width: int, now: float, spinner: str) -> Row:
    if view.engine is not None and view.engine.state != "stopped":
        return _engine_row(view.engine, width, now - view.began, spinner)
    if view.position is not None:
        text = f"job {view.job} waits, position {view.position} in the queue"
    else:
        text = f"job {view.job} begins" if view.job else "waiting for the daemon"
    return _fit([(f"{spinner} ", "cyan"), (text, "")], [f"  {clock(now - view.began)}"], width)


def _engine_row(engine: EngineInfo, width: int, seconds: float, spinner: str) -> Row:
    text = printable(engine.message) if engine.state == "installing" else ""
    text = text or f"engine {engine.state}" + (f": {printable(engine.message)}" if engine.message else "")
    if engine.fraction is None:
        return _fit([(f"{spinner} ", "cyan"), (text, "")], [f"  {clock(seconds)}"], width)
    return _with_bar(spinner, text, engine.fraction, [f"{engine.fraction:4.0%}", clock(seconds)], width)


def _node_row(view: View, width: int, now: float, spinner: str) -> Row:
    node = view.running
    if node is None:
        return [(f"{spinner} ", "cyan"), ("between nodes"[: width - 2], "dim")]
    name = printable(f"{node.name}: {node.doing}" if node.doing else node.name)
    if not node.max or node.doing:
        return _fit([(f"{spinner} ", "cyan"), (name, "bold")], [f"  {clock(now - node.since)}"], width)
    return _with_bar(spinner, name, node.value / node.max, list(_step_facts(node, now)), width)


def _step_facts(node: Running, now: float) -> Iterable[str]:
    """The most important first: what is narrow loses from the end."""
    yield f"{node.value}/{node.max}"
    if node.rate is not None:
        yield rate(node.rate)
    left = node.left(now)
    if left is not None:
        yield f"ETA {clock(left + 0.5)}"


def _job_row(view: View, width: int, now: float) -> Row:
    facts = [f"{view.nodes_done} of {view.nodes_total} nodes"]
    if view.memory is not None:
        facts.append(memory(view.memory))
    facts.append(clock(now - view.began))
    facts.append(f"job {view.job}" + (f", attempt {view.attempt}" if view.attempt > 1 else ""))
    while len(facts) > 1 and 2 + cell_len(" · ".join(facts)) > width:
        facts.pop()
    return [("  " + " · ".join(facts)[: width - 2], "dim")]


def memory(memory: Memory) -> str:
    """``VRAM 1.2 of 24.0 GB``; a CPU has RAM."""
    kind = "RAM" if memory.device.startswith("cpu") else "VRAM"
    return f"{kind} {size(memory.used)} of {size(memory.total)}"


def _with_bar(spinner: str, name: str, fraction: float, facts: list[str], width: int) -> Row:
    """Spinner, name, bar, facts; the last facts go first where it is narrow, then the bar."""
    while len(facts) > 1 and cell_len("  ".join(facts)) > width // 2:
        facts.pop()
    right = "  " + "  ".join(facts)
    room = width - 2 - cell_len(right)
    longest = room if room < _BAR[0] * 3 else max(room // 2, room - _BAR[1] // 2)
    name = cut(name, longest)
    cells = min(room - cell_len(name) - 2, _BAR[1])
    row = [(f"{spinner} ", "cyan"), (name, "bold")]
    if cells >= _BAR[0]:
        row += [("  ", ""), *_bar(fraction, cells)]
    return [*row, (right, "")]


def _bar(fraction: float, cells: int) -> Row:
    filled = round(min(max(fraction, 0.0), 1.0) * cells)
    return [("━" * filled, "green"), ("━" * (cells - filled), "bright_black")]


def _fit(pieces: Row, right: list[str], width: int) -> Row:
    """The pieces, the last of them cut so that what stands at the right fits as well."""
    head, (text, style) = pieces[:-1], pieces[-1]
    room = width - sum(cell_len(piece) for piece, _ in head)
    tail = "".join(right) if room - cell_len("".join(right)) >= _BAR[0] else ""
    return [*head, (cut(text, room - cell_len(tail)), style), (tail, "dim")]
