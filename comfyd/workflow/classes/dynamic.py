"""Inputs of V3 nodes that exist depending on what a node already holds: growing lists, combos with sub-inputs, slots.

Follows ComfyUI's ``get_finalized_class_inputs``: sub-inputs are named ``parent.child``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

AUTOGROW = "COMFY_AUTOGROW_V3"
COMBO = "COMFY_DYNAMICCOMBO_V3"
SLOT = "COMFY_DYNAMICSLOT_V3"
_TYPES = frozenset({AUTOGROW, COMBO, SLOT})
_MOST_NAMES = 100

Groups = Mapping[str, Any]
"""``{"required": {name: [type, options]}, "optional": {...}}``."""

Shape = tuple[tuple[str, str | None], ...]


def is_dynamic(spec: Groups) -> bool:
    """Whether any input of the specification depends on others."""
    return any(_type(entry) in _TYPES for _, _, entry in _entries(spec))


def shape(spec: Groups, values: Mapping[str, Any]) -> Shape:
    """What of these values an expansion depends on: which dynamic inputs are there, and the options chosen in them."""
    roots = {name for _, name, entry in _entries(spec) if _type(entry) in _TYPES}
    return tuple(
        (name, value if isinstance(value, str) else None) for name, value in values.items() if name.partition(".")[0] in roots
    )


def expand(spec: Groups, values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The specification of a node that holds these values, without dynamic types but for what stands for itself."""
    out: dict[str, dict[str, Any]] = {"required": {}, "optional": {}}
    _expand(out, spec, values, "")
    return out


def _expand(out: dict[str, dict[str, Any]], spec: Groups, values: Mapping[str, Any], prefix: str) -> None:
    for category, name, entry in _entries(spec):
        name = prefix + name
        if _type(entry) == AUTOGROW:
            _expand_growing(out, entry, values, name)
        elif _type(entry) in (COMBO, SLOT):
            _expand_chosen(out, category, entry, values, name)
        else:
            out[category][name] = entry


def _expand_growing(out: dict[str, dict[str, Any]], entry: Any, values: Mapping[str, Any], name: str) -> None:
    template = _options(entry).get("template")
    template = template if isinstance(template, dict) else {}
    pattern = next(_entries(template.get("input")), None)
    if pattern is None:
        return
    category, _, item = pattern
    least = template.get("min")
    for index, child in enumerate(_names(template)):
        full = f"{name}.{child}"
        needed = category == "required" and isinstance(least, int) and index < least
        if _type(item) not in _TYPES:
            out["required" if needed else "optional"][full] = item
        elif full in values or any(key.startswith(full + ".") for key in values):
            _expand(out, {category if needed else "optional": {full: item}}, values, "")


def _names(template: dict[str, Any]) -> list[str]:
    names = template.get("names")
    if isinstance(names, list):
        return [x for x in names[:_MOST_NAMES] if isinstance(x, str)]
    most = template.get("max")
    return [f"{template.get('prefix', '')}{i}" for i in range(min(most if isinstance(most, int) else 0, _MOST_NAMES))]


def _expand_chosen(out: dict[str, dict[str, Any]], category: str, entry: Any, values: Mapping[str, Any], name: str) -> None:
    """A combo's sub-inputs are those of the chosen option; a slot's are there once it is filled."""
    if name not in values and _type(entry) == SLOT:
        out["optional"][name] = entry
        return
    out[category if name in values else "optional"][name] = entry
    options = _options(entry)
    if _type(entry) == SLOT:
        _expand(out, options.get("inputs") or {}, values, name + ".")
        return
    choices = options.get("options")
    for option in choices if isinstance(choices, list) else ():
        if isinstance(option, dict) and option.get("key") == values.get(name):
            _expand(out, option.get("inputs") or {}, values, name + ".")
            return


def _entries(spec: Any) -> Iterator[tuple[str, str, Any]]:
    for category in ("required", "optional"):
        group = spec.get(category) if isinstance(spec, dict) else None
        for name, entry in group.items() if isinstance(group, dict) else ():
            yield category, name, entry


def _type(entry: Any) -> Any:
    kind = entry[0] if isinstance(entry, list | tuple) and entry else None
    return kind if isinstance(kind, str) else None


def _options(entry: Any) -> dict[str, Any]:
    return entry[1] if len(entry) > 1 and isinstance(entry[1], dict) else {}
