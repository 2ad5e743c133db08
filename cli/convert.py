"""The command convert: a workflow of any kind as the API graph that ComfyUI's editor would export."""

import json
from collections.abc import Collection, Sequence
from pathlib import Path

import msgspec

from comfyd.errors import ExitStatus, InvalidValue, MissingModel, OutputNotWritable, Refused
from comfyd.whole import mode_of, publish
from comfyd.workflow import Catalogue, prepare
from comfyd.workflow.binding import draft

from .catalogue import catalogue
from .given import load
from .terminal import Terminal
from .uploads import uploaded


def convert(terminal: Terminal, *, workflow: str, words: Sequence[str], output: str | None, no_start: bool) -> int:
    """Print or write the graph; what would keep it from running is said on stderr."""
    found = load(terminal, workflow)
    words, overrides = uploaded(terminal, found, words, [], start=not no_start)
    known: Catalogue = catalogue(terminal, start=not no_start)
    graph, faults = draft(prepare(found.api, found.ui, known), overrides, known, words=words, aliases=found.aliases)
    text = msgspec.json.format(msgspec.json.encode(graph), indent=2).decode()
    if output is None or output == "-":
        terminal.out(_visible(text) if terminal.stdout.isatty() else text)
    else:
        write(Path(output), text + "\n")
    there = {value for _, value in overrides}
    for fault in _distinct([fault for fault in faults if _file(fault) not in there]):
        terminal.note(_said(fault), dim=False)
    return ExitStatus.DONE


def _distinct(faults: Sequence[Refused]) -> Collection[Refused]:
    """The first of those that say the same: however many nodes need a model file, it is missing once."""
    found: dict[str, Refused] = {}
    for fault in faults:
        found.setdefault(_file(fault) or fault.message, fault)
    return found.values()


def _file(fault: Refused) -> str:
    """The file that is missing, where it is one; one that was just put there the catalogue does not know yet."""
    return fault.file if isinstance(fault, MissingModel | InvalidValue) else ""


def _said(fault: Refused) -> str:
    from .text import printable

    return printable(fault.message if isinstance(fault, MissingModel) else f"this does not run as it is: {fault.message}")


def _visible(text: str) -> str:
    """For eyes: characters that a terminal would act on or not show are escaped, as JSON allows."""
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in text)


def write(path: Path, text: str) -> None:
    """Whole or not at all; raises OutputNotWritable."""
    path = path.resolve()  # where it is a link, the file that it leads to is meant
    if path.exists() and not path.is_file():
        raise OutputNotWritable(f"{path} is no file; give -o the name of one.")
    try:
        publish(path, lambda stream: stream.write(text.encode()), mode_of(path))
    except OSError as error:
        raise OutputNotWritable(f"{path} cannot be written ({error.strerror}); give another path to -o.") from error
