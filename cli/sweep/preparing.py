"""What was asked for, made into what is to run; everything that can be refused is refused here."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from comfyd.errors import FileNotUsable
from comfyd.workflow import Document
from comfyd.workflow.sweep.axes import Axis, axes, combinations, varying
from comfyd.workflow.sweep.order import ordered
from comfyd.workflow.wording import shown as quoted

from ..terminal import Terminal
from .manifest import Manifest
from .points import Point, digest, points

if TYPE_CHECKING:
    from comfyd.workflow.naming.address import Names


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The command's options."""

    output: str | None
    zip: bool
    html: bool
    json: bool
    quiet: bool
    detach: bool
    yes: bool
    mode: str
    start: bool


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A sweep that may begin."""

    given: Document
    fixed: dict[str, Any]
    points: list[Point]
    manifest: Manifest

    @property
    def directory(self) -> Path:
        """Where the pictures belong."""
        return self.manifest.directory


def prepare(
    terminal: Terminal,
    given: Document,
    words: Sequence[str],
    overrides: Sequence[tuple[str, str]],
    asked: Asked,
    manifest: Manifest,
) -> Prepared:
    """Everything that can be told without running, and refused."""
    from comfyd.workflow import prepare as executable
    from comfyd.workflow.naming.address import Names

    from ..catalogue import catalogue

    known = catalogue(terminal, start=asked.start)
    graph = executable(given.api, given.ui, known)
    names = Names.of(graph, known, given.aliases)
    content = digest(graph, asked.mode)
    found = axes(words, overrides, names, lambda name: texts(name, terminal))
    found = _drawn(found, names, manifest, digest(graph, asked.mode, *words, *map(str, overrides)))
    found = [_uploaded(axis, names, terminal, given, asked) for axis in found]
    every = ordered(found, combinations(found, paired=asked.zip), names.wiring)
    vary = varying(found, every)
    return Prepared(
        given=given,
        fixed={axis.name: axis.values[0] for at, axis in enumerate(found) if at not in vary},
        points=points(found, every, vary, content),
        manifest=manifest,
    )


def _drawn(found: list[Axis], names: "Names", manifest: Manifest, command: str) -> list[Axis]:
    """Seeds as this command drew them the first time it ran here."""
    seeds = {axis.name: list(axis.values) for axis in found if names.is_seed(axis.name, names.input(axis.addresses[0]))}
    drawn = manifest.drawn(command, seeds) if seeds else {}
    return [msgspec.structs.replace(axis, values=tuple(drawn.get(axis.name, axis.values))) for axis in found]


def _uploaded(axis: Axis, names: "Names", terminal: Terminal, given: Document, asked: Asked) -> Axis:
    """The axis with local files as names in the engine's input folder."""
    if not names.input(axis.addresses[0]).uploads:
        return axis
    from ..uploads import uploaded

    _, pairs = uploaded(
        terminal, given, [], [(axis.name, value) for value in axis.values], start=asked.start, quiet=asked.quiet or asked.json
    )
    return msgspec.structs.replace(axis, values=tuple(value for _, value in pairs))


def texts(name: str, terminal: Terminal) -> list[str]:
    """The lines of ``@FILE`` that are no comments, the texts of its JSON array, or the files of a pattern."""
    if not name.startswith("@"):
        import glob

        found = sorted(glob.glob(str(Path(name).expanduser())))  # noqa: PTH207 - the pattern may be absolute
        if not found:
            raise FileNotUsable(f"No file is called as {quoted(name)} says; give another pattern, in quotes.")
        return [file if file.startswith(("/", "./", "../")) else f"./{file}" for file in found]
    try:
        content = terminal.stdin.read() if name == "@-" else Path(name[1:]).expanduser().read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise FileNotUsable(f"{quoted(name[1:])} cannot be read ({why}); give a text file with a value on each line.") from error
    if content.lstrip().startswith("["):
        return _array(name, content)
    lines = [line.strip() for line in content.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def _array(name: str, content: str) -> list[str]:
    try:
        return [str(one) for one in msgspec.json.decode(content, type=list[str | int | float])]
    except msgspec.MsgspecError as error:
        raise FileNotUsable(f"{quoted(name[1:])} is no JSON array of texts ({error}); or write one text on each line.") from error
