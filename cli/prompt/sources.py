"""The commands on the session's workflow: use, save, fetch."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from comfyd.errors import ExitStatus, Refused
from comfyd.protocol import Graph
from comfyd.workflow import Document, load
from comfyd.workflow.sources.store import Store
from comfyd.workflow.wording import shown

from ..completion.known import index as indexed
from ..completion.words import quoted
from ..given import load as load_and_tell
from ..uploads import uploaded
from .naming import line, named
from .session import Session, check

if TYPE_CHECKING:
    from ..completion.index import Index

_FIRST = ("prompt", "negative", "seed")
"""What a picture's line begins with even where nothing differs, for somebody who wants to change it."""


def use(session: Session, *, workflow: str) -> int:
    """Go on with another workflow, without the values of this one."""
    check(workflow, session.terminal)
    load_and_tell(session.terminal, workflow)
    session.workflow, session.values = workflow, {}
    return ExitStatus.DONE


# ---------------------------------------------------------------- save


def save(session: Session, *, name: str, replace: bool) -> int:
    """Store the workflow with the values set, and its user's names for parameters, under a name."""
    from ..stored import require_free

    require_free(name)
    given = session.document()
    path = Store(session.terminal.paths.workflows).add(name, _with_values(session, given), _origin(session), replace=replace)
    session.terminal.note(f"{name} is stored; use {name} goes on with it, comfyd run {name} runs it", dim=False)
    session.terminal.foreign(str(path))
    return ExitStatus.DONE


def _origin(session: Session) -> str:
    path = Path(session.workflow).expanduser()
    return str(path.absolute()) if path.is_file() else session.workflow


def _with_values(session: Session, given: Document) -> Document:
    if not session.values:
        return given
    from comfyd.workflow.binding import applied

    found = session.wait_for_index()
    _, values = uploaded(session.terminal, given, (), list(session.values.items()), start=session.start)
    api = applied(found.graph, values, found.catalogue, found.own)
    return _as_edited(session, given, api, found) if given.ui is not None else replace(given, api=api)


def _as_edited(session: Session, given: Document, api: Graph, index: "Index") -> Document:
    """With the values in the editor's form too, which stays alone where it was; without it where it cannot hold them."""
    from comfyd.workflow.reflected import holds, reflected

    assert given.ui is not None
    values = {address: value for name in session.values for address, value in _held(index, api, name)}
    ui = reflected(given.ui, api, values, index.catalogue)
    if holds(ui, values, index.catalogue):
        return replace(given, api=None if given.api is None else api, ui=ui)
    session.terminal.note("kept in API format: these values have no widgets of their own in what the editor saved")
    return replace(given, api=api, ui=None)


def _held(index: "Index", graph: Graph, name: str) -> Iterator[tuple[str, Any]]:
    """What the inputs hold that a name stands for, by address."""
    from comfyd.workflow.graph.wiring import unwrapped

    for id_, input_ in index.names.find(name):
        yield f"{id_}.{input_}", unwrapped(graph[id_]["inputs"][input_])


# ---------------------------------------------------------------- fetch


def fetch(session: Session, *, file: str) -> int:
    """Take a picture's workflow and put its values where they are edited; a script, which edits nothing, has them set."""
    picture = load_and_tell(session.terminal, file)
    session.wait_for_index()
    mine = session.index()
    theirs = indexed(picture, (mine or session.wait_for_index()).catalogue)
    if mine is None or not _same(theirs.graph, mine.graph):
        session.workflow, session.values = _source(session, theirs, file), {}
        session.terminal.note(f"{shown(session.workflow)} is the workflow now", dim=False)
    values = _differing(session, theirs)
    if session.interactive:
        session.edit_line = line(values, quoted)
    else:
        from .naming import written

        session.values |= {name: written(value) for name, value in values}
    return ExitStatus.DONE


def _same(one: Graph, other: Graph) -> bool:
    """Whether these are the same nodes in the same places, whatever their values."""
    return _skeleton(one) == _skeleton(other)


def _skeleton(graph: Graph) -> dict[str, Any]:
    return {
        id_: (node["class_type"], {name: value for name, value in node.get("inputs", {}).items() if _is_link(value)})
        for id_, node in graph.items()
    }


def _is_link(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and isinstance(value[0], str) and isinstance(value[1], int)


def _source(session: Session, picture: "Index", file: str) -> str:
    """A stored or built-in workflow of the same nodes, else the picture itself."""
    for name, _ in session.known.workflows():
        try:
            if _same(picture.graph, indexed(load(name, store=session.terminal.paths.workflows), picture.catalogue).graph):
                return name
        except Refused:
            continue
    return str(Path(file).expanduser().absolute())


def _differing(session: Session, picture: "Index") -> list[tuple[str, Any]]:
    """What must be set for a run that makes the picture again; prompt and seed where that is nothing."""
    from comfyd.workflow.binding import applied

    mine = session.wait_for_index()
    now = applied(mine.graph, list(session.values.items()), mine.catalogue, mine.own)
    held = {each.address: each.value for each in picture.parameters if each.value is not None}
    differing = {
        address: value for address, value in held.items() if _value(now, address) != value and mine.parameter(address) is not None
    }
    first = {
        address: held[address] for name in _FIRST for address in _addresses(mine, name) if held.get(address) not in (None, "")
    }
    return named(differing or first, mine, session.values)


def _value(graph: Graph, address: str) -> Any:
    for id_, node in graph.items():
        if address.startswith(f"{id_}.") and address[len(id_) + 1 :] in node.get("inputs", {}):
            return node["inputs"][address[len(id_) + 1 :]]
    return None


def _addresses(index: "Index", name: str) -> list[str]:
    return [".".join(address) for group in index.names.groups(name) for address in group]
