"""The commands on named workflows: add, list, show, path, rm, alias, unalias. No daemon is needed for any."""

import time
from pathlib import Path
from typing import Any

from comfyd.errors import ExitStatus, InvalidName, UnknownParameter, UsageError
from comfyd.workflow import Document
from comfyd.workflow.sources.store import Store, name_from
from comfyd.workflow.wording import shown

from .given import load
from .terminal import Terminal
from .text import printable

HEADERS = ("NAME", "FORM", "NODES", "ALIASES", "ADDED", "ORIGIN")


def _store(terminal: Terminal) -> Store:
    return Store(terminal.paths.workflows)


def add(terminal: Terminal, *, workflow: str, name: str | None, replace: bool) -> int:
    """Keep a workflow under a name: the one given, or that of its file."""
    _require_order(workflow, name)
    found = load(terminal, workflow)
    name = name or name_from(found.name if found.name not in ("stdin", "literal") else "")
    if not name:
        raise UsageError(f"{shown(found.name)} suggests no name; give one: comfyd workflow add {workflow} NAME.")
    require_free(name)
    path = _store(terminal).add(name, found, _origin(workflow, found), replace=replace)
    terminal.note(f"{name} is stored; comfyd run {name} runs it", dim=False)
    terminal.foreign(str(path))
    return ExitStatus.DONE


def _require_order(workflow: str, name: str | None) -> None:
    """Raises UsageError for a name given before its file, as the other commands take names first."""
    if name is not None and (name == "-" or Path(name).is_file()) and not Path(workflow).is_file():
        raise UsageError(f"The workflow comes before its name: comfyd workflow add {shown(name)} {shown(workflow)}.")


def require_free(name: str) -> None:
    """Raises InvalidName for a command's name: in the REPL's lines and in shells' completions it would be two things."""
    from .commands import TABLE, first_words

    if name in first_words(TABLE):
        raise InvalidName(f"{shown(name)} is a command; give another name.")


def _origin(workflow: str, found: Document) -> str:
    """Where it came from: a file, or what stands for no file, such as a built-in name."""
    if found.name in ("stdin", "literal"):
        return found.name
    path = Path(workflow).expanduser()
    return str(path.absolute()) if path.is_file() else workflow


def list_(terminal: Terminal, *, json: bool) -> int:
    """List the named workflows."""
    store = _store(terminal)
    entries = [_entry(store, name) for name in store.names()]
    if json:
        terminal.json({"type": "Workflows", "workflows": entries})
        return ExitStatus.DONE
    if not entries:
        terminal.note("No workflow is stored; comfyd workflow add FILE stores one.", dim=False)
        return ExitStatus.DONE
    from .table import show as show_table

    show_table(terminal, HEADERS, [_row(entry) for entry in entries], numbers=("NODES",), flexible=("NAME", "ALIASES", "ORIGIN"))
    return ExitStatus.DONE


def _entry(store: Store, name: str) -> dict[str, Any]:
    """What is known of a workflow; of one that somebody has damaged, why it cannot be read."""
    from comfyd.errors import Refused

    try:
        found, about, error = store.load(name), store.about(name), ""
    except Refused as refusal:
        return {"name": name, "form": "", "nodes": 0, "aliases": {}, "added": 0.0, "origin": "", "error": refusal.message}
    return {
        "name": name,
        "form": " + ".join(form for form, there in (("API", found.api), ("UI", found.ui)) if there is not None),
        "nodes": len(_classes(found)),
        "aliases": about.aliases,
        "added": about.added,
        "origin": about.origin,
        "error": error,
    }


def _row(entry: dict[str, Any]) -> list[str]:
    added = time.strftime("%Y-%m-%d %H:%M", time.localtime(entry["added"])) if entry["added"] else ""
    form = "damaged" if entry["error"] else entry["form"]
    return [entry["name"], form, str(entry["nodes"]), ", ".join(entry["aliases"]), added, entry["origin"]]


def _classes(found: Document) -> list[str]:
    """The class of each node, as far as the workflow tells by itself."""
    if found.api is not None:
        return [node["class_type"] for node in found.api.values()]
    nodes = (found.ui or {}).get("nodes", [])
    return [str(node.get("type", "")) for node in nodes if isinstance(node, dict)]


def show(terminal: Terminal, *, name: str, json: bool) -> int:
    """Say what is known of a named workflow; ``--json`` has the workflow itself as well."""
    store = _store(terminal)
    found, entry = store.load(name), _entry(store, name)
    if json:
        terminal.json({"type": "Workflow", **entry, "path": str(store.path(name)), "api": found.api, "ui": found.ui})
        return ExitStatus.DONE
    from collections import Counter

    classes = ", ".join(f"{kind} × {count}" if count > 1 else kind for kind, count in Counter(_classes(found)).most_common(12))
    facts = {
        "form": entry["form"],
        "nodes": entry["nodes"],
        "classes": classes,
        "added": _row(entry)[4],
        "origin": entry["origin"],
    }
    terminal.heading(name)
    for key, fact in {**facts, "path": store.path(name)}.items():
        terminal.out(f"  {key:8} {printable(str(fact))}")
    for alias, address in entry["aliases"].items():
        terminal.out(f"  alias    {printable(alias)} = {printable(address)}")
    return ExitStatus.DONE


def path(terminal: Terminal, *, name: str) -> int:
    """Print where a named workflow is."""
    terminal.foreign(str(_store(terminal).path(name)))
    return ExitStatus.DONE


def remove(terminal: Terminal, *, names: list[str]) -> int:
    """Forget named workflows, all of them or none where one is unknown."""
    store = _store(terminal)
    for name in names:
        store.path(name)
    for name in dict.fromkeys(names):
        store.remove(name)
    return ExitStatus.DONE


def alias(terminal: Terminal, *, name: str, alias: str, address: str) -> int:
    """Give a parameter of a named workflow a name of the user's own."""
    store = _store(terminal)
    found = store.load(name)
    _require_alias(alias)
    _require_address(terminal, found, address)
    store.set_aliases(name, found.aliases | {alias: address})
    return ExitStatus.DONE


def _require_alias(alias: str) -> None:
    """Raises InvalidName for what could be taken for an address, an option, a number or a command."""
    from .commands import REPL, first_words

    if not alias.isidentifier() or alias in first_words(REPL):
        raise InvalidName(f"{shown(alias)} cannot be an alias; use letters, digits and _, such as sky_colour.")


def _require_address(terminal: Terminal, found: Document, address: str) -> None:
    """Raises UnknownParameter and its like where the newest catalogue shows that the address names nothing."""
    from comfyd.inuse import catalogue_in_use

    newest = catalogue_in_use(terminal.paths.cache)
    if newest is None:
        return
    from comfyd.workflow import Catalogue, prepare
    from comfyd.workflow.naming.address import Names

    known = Catalogue.read(newest)
    Names.of(prepare(found.api, found.ui, known), known).find(address)


def unalias(terminal: Terminal, *, name: str, alias: str) -> int:
    """Forget an alias."""
    store = _store(terminal)
    aliases = dict(store.about(name).aliases)
    if alias not in aliases:
        from comfyd.workflow.nearest import did_you_mean

        fix = did_you_mean(alias, aliases) or (f"; there are {', '.join(aliases)}." if aliases else "; it has none.")
        raise UnknownParameter(f"{shown(name)} has no alias {shown(alias)}{fix}")
    del aliases[alias]
    store.set_aliases(name, aliases)
    return ExitStatus.DONE
