"""The levels of a workflow: the workflow itself and the definitions of its subgraphs, leaves first."""

from collections.abc import Iterator
from typing import Any

import msgspec

from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.wording import shown

from .failure import malformed
from .groups import group_definitions
from .ui import Level, Node, key, read_level


class Levels(msgspec.Struct):
    """All levels of one workflow."""

    root: Level
    definitions: dict[str, Level]
    order: list[Level]
    """The definitions that are used, each after those it uses itself."""


def read_levels(ui: dict[str, Any], catalogue: Catalogue) -> Levels:
    """The levels of a document; raises ConversionFailed, for example when a subgraph contains itself."""
    if not isinstance(ui, dict) or not isinstance(ui.get("nodes"), list):
        raise malformed("This is no workflow of ComfyUI's editor, which has a list of nodes", "save it anew in ComfyUI")
    root = read_level(ui, "The workflow")
    definitions: dict[str, Level] = {}
    for raw in _raw_definitions(ui):
        id_ = raw.get("id")
        if not isinstance(id_, str) or not id_:
            raise malformed("A subgraph of the workflow has no id", "save the workflow anew in ComfyUI")
        name = raw.get("name")
        level = read_level(raw, f"The subgraph {shown(name)}" if isinstance(name, str) else "A subgraph")
        level.id = id_
        definitions[id_] = level
    _renumber(root, definitions, _last_id(ui))
    definitions |= group_definitions(ui, [root, *definitions.values()], catalogue)
    return Levels(root, definitions, _leaves_first(root, definitions))


def _raw_definitions(ui: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Definitions stand beside each other; older files nest them in each other."""
    pending = [ui]
    while pending:
        found = pending.pop().get("definitions")
        subgraphs = found.get("subgraphs") if isinstance(found, dict) else None
        for raw in subgraphs if isinstance(subgraphs, list) else ():
            if isinstance(raw, dict):
                yield raw
                pending.append(raw)


def hosts(level: Level, definitions: dict[str, Level]) -> Iterator[Node]:
    """The nodes of a level that stand for subgraphs."""
    return (node for node in level.nodes.values() if node.type in definitions)


def _leaves_first(root: Level, definitions: dict[str, Level]) -> list[Level]:
    done: dict[str, None] = {}
    path: list[Level] = [root]
    pending = [hosts(root, definitions)]
    on_path: set[str] = set()
    while path:
        host = next(pending[-1], None)
        if host is None:
            pending.pop()
            level = path.pop()
            if path:
                on_path.discard(level.id)
                done[level.id] = None
        elif host.type in on_path:
            raise malformed(f"{definitions[host.type].name} contains itself", "take it out of itself in ComfyUI")
        elif host.type not in done:
            path.append(definitions[host.type])
            on_path.add(host.type)
            pending.append(hosts(path[-1], definitions))
    return [definitions[id_] for id_ in done]


def _last_id(ui: dict[str, Any]) -> int:
    state = ui.get("state")
    last = state.get("lastNodeId") if isinstance(state, dict) else ui.get("last_node_id")
    return last if isinstance(last, int) and not isinstance(last, bool) and 0 <= last < 10**8 else 0


def _renumber(root: Level, definitions: dict[str, Level], last: int) -> None:
    """Gives nodes of subgraphs whose id is taken a new one, as the editor does when it loads them."""
    taken = set(root.nodes)
    renamed: dict[str, dict[str, str]] = {}
    for level in definitions.values():
        changed: dict[str, str] = {}
        for id_ in level.nodes:
            if id_ in taken:
                while str(last := last + 1) in taken:
                    pass
                changed[id_] = str(last)
            else:
                last = max(last, int(id_)) if id_.isdecimal() and id_.isascii() and len(id_) < 9 else last
            taken.add(changed.get(id_, id_))
        if changed:
            _rename(level, changed)
            renamed[level.id] = changed
    for level in (root, *definitions.values()) if renamed else ():
        for node in level.nodes.values():
            _repoint(node, renamed.get(node.type, {}))


def _rename(level: Level, changed: dict[str, str]) -> None:
    for old, new in changed.items():
        level.nodes[old].id = new
    level.nodes = {node.id: node for node in level.nodes.values()}
    for link in level.links.values():
        link.origin = changed.get(link.origin, link.origin)
        link.target = changed.get(link.target, link.target)


def _repoint(node: Node, changed: dict[str, str]) -> None:
    """Promoted widgets name the node they come from."""
    proxies = node.properties.get("proxyWidgets")
    if changed and isinstance(proxies, list):
        node.properties = {**node.properties, "proxyWidgets": [_repointed(proxy, changed) for proxy in proxies]}


def _repointed(proxy: Any, changed: dict[str, str]) -> Any:
    id_ = key(proxy[0]) if isinstance(proxy, list) and proxy else None
    return [changed[id_], *proxy[1:]] if id_ in changed else proxy
