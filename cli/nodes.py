"""The command nodes: search the node catalogue, and show a class with its inputs and outputs."""

from collections.abc import Iterable, Sequence

from comfyd.errors import ExitStatus, UnknownNode
from comfyd.workflow import Catalogue
from comfyd.workflow.classes.nodeclass import Input
from comfyd.workflow.classes.search import Found, described, outputs, search

from .catalogue import catalogue
from .table import show as show_table
from .terminal import Terminal
from .text import count, printable, wrapped

HEADERS = ("CLASS", "TITLE", "PACK", "CATEGORY")
_INDENT = "    "


def nodes(terminal: Terminal, *, pattern: Sequence[str], json: bool, no_start: bool) -> int:
    """List the classes that match, or the one that does in full; raises UnknownNode where none does."""
    known = catalogue(terminal, start=not no_start)
    found = search(known, pattern)
    if not found:
        raise UnknownNode(_unknown(known, pattern))
    if json:
        terminal.json({"type": "Nodes", "nodes": [_entry(known, one) for one in found]})
    elif len(found) == 1:
        _page(terminal, known, found[0])
    else:
        rows = [[one.name, one.title, one.pack, one.category] for one in found]
        show_table(terminal, HEADERS, rows, flexible=HEADERS, optional=("PACK", "CATEGORY"))
        terminal.note(f"{count(len(found), 'class', 'classes')}; comfyd nodes CLASS shows one in full")
    return ExitStatus.DONE


def _unknown(known: Catalogue, pattern: Sequence[str]) -> str:
    from comfyd.workflow.nearest import did_you_mean
    from comfyd.workflow.wording import shown

    words = " ".join(pattern)
    near = did_you_mean(words, list(known.names())) or f"; the engine has {len(known.names())}, and comfyd nodes lists them."
    return f"No node class matches {shown(words)}{near}"


def _entry(known: Catalogue, found: Found) -> dict[str, object]:
    return {**(known.entry(found.name) or {}), "name": found.name, "pack": found.pack}


def _page(terminal: Terminal, known: Catalogue, found: Found) -> None:
    node = known.node(found.name)
    assert node is not None
    terminal.heading(printable(found.name))
    facts = [found.title if found.title != found.name else "", found.pack, found.category, "output node" * found.output_node]
    terminal.out(_fitted(", ".join(filter(None, facts)), terminal, ""))
    if found.description:
        terminal.out(_fitted(found.description, terminal, ""))
    for heading, lines in (("inputs", _inputs(node.inputs.values(), terminal)), ("outputs", _outputs(outputs(node)))):
        if lines:
            terminal.heading(heading)
            for line in lines:
                terminal.out(line)


def _inputs(inputs: Iterable[Input], terminal: Terminal) -> list[str]:
    specs, lines = list(inputs), []
    width = max((len(spec.name) for spec in specs), default=0)
    for spec in specs:
        lines.append(f"  {printable(spec.name):{width}}  {printable(described(spec))}")
        if spec.choices:
            lines.append(_fitted(", ".join(map(str, spec.choices)), terminal, "  " + " " * width + _INDENT))
    return lines


def _outputs(found: Sequence[tuple[str, str]]) -> list[str]:
    width = max((len(name) for name, _ in found), default=0)
    return [f"  {printable(name):{width}}  {printable(type_)}".rstrip() for name, type_ in found]


def _fitted(text: str, terminal: Terminal, indent: str) -> str:
    text = printable(text)
    if not terminal.stdout.isatty():
        return indent + text
    return "\n".join(indent + line for line in wrapped(text, terminal.columns - len(indent)).splitlines())
