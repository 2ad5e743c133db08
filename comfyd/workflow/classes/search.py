"""Finding node classes in the catalogue by what people remember of them. Pure."""

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from .catalogue import Catalogue
from .nodeclass import Input, NodeClass

_OWN = {"nodes": "ComfyUI", "comfy_extras": "ComfyUI", "comfy_api_nodes": "ComfyUI API nodes"}


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A node class with what a search looks at."""

    name: str
    title: str
    pack: str
    category: str
    description: str
    output_node: bool


def pack(module: str) -> str:
    """The node pack behind a class's ``python_module``: the folder below custom_nodes, or ComfyUI itself."""
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "custom_nodes" and rest else _OWN.get(first, first or "unknown")


def search(catalogue: Catalogue, words: Sequence[str]) -> list[Found]:
    """The classes of which every word is part of the name, title, category or pack, ignoring case.

    ``*`` and ``?`` stand for text. A class of exactly that name comes alone; else those named so come before those
    that are merely filed there.
    """
    if len(words) == 1 and words[0] in catalogue.names():
        return [_found(catalogue, words[0])]
    folded = [word.casefold() for word in words]
    hits = [found for name in catalogue.names() if _matches(found := _found(catalogue, name), folded)]
    return sorted(hits, key=lambda found: (not _named(found, folded), found.pack != "ComfyUI", found.name.casefold()))


def _found(catalogue: Catalogue, name: str) -> Found:
    entry = catalogue.entry(name) or {}
    return Found(
        name=name,
        title=_text(entry.get("display_name")) or name,
        pack=pack(_text(entry.get("python_module"))),
        category=_text(entry.get("category")),
        description=" ".join(_text(entry.get("description")).split()),
        output_node=entry.get("output_node") is True,
    )


def _matches(found: Found, words: Sequence[str]) -> bool:
    fields = [text.casefold() for text in (found.name, found.title, found.category, found.pack)]
    return all(any(_contains(field, word) for field in fields) for word in words)


def _named(found: Found, words: Sequence[str]) -> bool:
    return all(_contains(f"{found.name} {found.title}".casefold(), word) for word in words)


def _contains(text: str, word: str) -> bool:
    return fnmatchcase(text, word) if "*" in word or "?" in word else word in text


def described(spec: Input) -> str:
    """An input's type, limits or choices, and default, in a few words."""
    kind = "/".join(map(str, spec.type)) if isinstance(spec.type, list) and not spec.choices else spec.kind
    parts = [kind if spec.required else f"{kind}, optional"]
    if spec.minimum is not None or spec.maximum is not None:
        parts.append(f"{_number(spec.minimum)}..{_number(spec.maximum)}" + (f" step {spec.step:g}" if spec.step else ""))
    if spec.default is not None and not isinstance(spec.default, dict | list):
        parts.append(f"default {str(spec.default)!r}" if isinstance(spec.default, str) else f"default {spec.default}")
    return ", ".join(parts)


def _number(limit: float | None) -> str:
    if limit is None:
        return ""
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def outputs(node: NodeClass) -> list[tuple[str, str]]:
    """(name, type) of each output."""
    types = ["COMBO" if isinstance(type_, list) else str(type_) for type_ in node.outputs]
    names = [*node.output_names, *types[len(node.output_names) :]]
    return [(name or type_, type_) for name, type_ in zip(names, types, strict=False)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
