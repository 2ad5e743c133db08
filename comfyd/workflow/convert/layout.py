"""A saved node laid out as the editor does: its inputs in their order, and what each of its widgets holds."""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec

from comfyd.workflow.classes import dynamic

from .face import Entry, Face
from .kinds import UNSET, Widget
from .ui import Node, Slot

_CUSTOM_COMBO = "CustomCombo"
_MOST_CHOICES = 1_000
_POWER_LORAS = "Power Lora Loader (rgthree)"
_TWO_STRENGTHS = ("Show Strengths", "Separate Model & Clip")
_DEEPEST = 8


class Layout(msgspec.Struct):
    """Inputs and widget values of one node."""

    inputs: list[Slot]
    values: dict[str, Any]
    """What every widget holds, also those that are not exported."""
    exported: set[str]
    outputs: list[str]
    title: str


def lay_out(node: Node, face: Face) -> Layout:
    """The layout of a node of a known class."""
    saved = _Saved(node, face)
    slots: list[Slot] = []
    values: dict[str, Any] = {}
    exported: set[str] = set()
    combos: set[str] = set()
    pending = deque((*face.sockets, *face.widgets))
    while pending:
        entry = pending.popleft()
        if entry.grows:
            pending.extendleft(reversed(_grown(entry, node)))
            continue
        slots.append(Slot(entry.name, entry.type, widget=entry.name if entry.widgets else None))
        for widget in entry.widgets:
            _fill(widget, saved, values, exported)
        if entry.options:
            combos.add(entry.name)
            choice = values.get(entry.name)
            pending.extendleft(reversed(entry.options.get(choice, ()) if isinstance(choice, str) else ()))
    for widget in face.extra:
        _fill(widget, saved, values, exported)
    if node.type == _CUSTOM_COMBO:
        _fill_choices(saved, values, exported)
    if node.type == _POWER_LORAS:
        _fill_loras(node, values, exported)
    return Layout(_linked(slots, node, values, combos), values, exported, _outputs(node, face), node.title or face.title)


class _Saved:
    """The values a node was saved with, taken in the order of its widgets or by their names."""

    def __init__(self, node: Node, face: Face) -> None:
        self._by_name = node.values if isinstance(node.values, dict) else {}
        values = node.values if isinstance(node.values, list) else []
        if len(values) == len(face.forced):
            values = [value for value, forced in zip(values, face.forced, strict=True) if not forced]
        self._rest = iter(values)

    def take(self, widget: Widget) -> Any:
        if widget.saved:
            value = next(self._rest, UNSET)
            value = self._by_name.get(widget.name, UNSET) if value is UNSET else value
            if value is not UNSET:
                return value
        return widget.default


def _fill(widget: Widget, saved: _Saved, values: dict[str, Any], exported: set[str]) -> None:
    value = saved.take(widget)
    if widget.kind in ("COMBO", dynamic.COMBO) and value is None and widget.default is not UNSET:
        value = widget.default
    values[widget.name] = value
    if widget.exported and value is not UNSET:
        exported.add(widget.name)


def _fill_choices(saved: _Saved, values: dict[str, Any], exported: set[str]) -> None:
    """The choices of a combo made by hand: as many as are filled and one more, and the number of the one chosen."""
    saved.take(Widget("index"))
    index = -1
    for number in range(1, _MOST_CHOICES):
        text = values[f"option{number}"] = saved.take(Widget(f"option{number}", ""))
        if index < 0 and text == values.get("choice"):
            index = number - 1
        exported.add(f"option{number}")
        if not text:
            break
    values["index"] = index
    exported.add("index")


def _fill_loras(node: Node, values: dict[str, Any], exported: set[str]) -> None:
    """The LoRAs of a loader whose pack gives it a widget for each: ``lora_1``, ``lora_2`` and so on."""
    loras = [x for x in node.values if isinstance(x, dict) and "lora" in x] if isinstance(node.values, list) else []
    label, separate = _TWO_STRENGTHS
    for number, lora in enumerate(loras, 1):
        two = node.properties.get(label) == separate
        values[f"lora_{number}"] = {k: v for k, v in lora.items() if k != "strengthTwo"} | (
            {"strengthTwo": lora.get("strengthTwo") or 1} if two else {}
        )
        exported.add(f"lora_{number}")


def _grown(entry: Entry, node: Node) -> list[Entry]:
    """One entry for each input of a growing list that the node was saved with."""
    prefix = entry.name + "."
    return [
        Entry(slot.name, entry.type, tuple(_renamed(entry.widgets, slot.name)))
        for slot in node.inputs
        if slot.name.startswith(prefix)
    ]


def _renamed(widgets: Iterable[Widget], name: str) -> Iterable[Widget]:
    for widget in widgets:
        yield Widget(name, widget.default, widget.saved, widget.exported, widget.kind)


def _linked(slots: list[Slot], node: Node, values: dict[str, Any], combos: set[str]) -> list[Slot]:
    """The inputs of the class with the links of the saved ones, then the saved ones the class does not have."""
    saved = {slot.name: slot for slot in node.inputs}
    known = {slot.name for slot in slots}
    for slot in slots:
        if slot.name in saved:
            slot.link, slot.label = saved[slot.name].link, saved[slot.name].label
    return [*slots, *(slot for slot in node.inputs if slot.name not in known and _stays(slot, values, combos))]


def _stays(slot: Slot, values: dict[str, Any], combos: set[str]) -> bool:
    """Whether an input the class does not have is kept: not for a widget that is gone, nor for another choice of a combo."""
    if slot.widget is not None and slot.widget not in values:
        return False
    parts = slot.name.split(".")
    return not any(".".join(parts[:count]) in combos for count in range(1, min(len(parts), _DEEPEST)))


def _outputs(node: Node, face: Face) -> list[str]:
    """The types of the outputs; where the class leaves one open, the type it had when it was saved."""
    count = max(len(face.outputs), len(node.outputs))
    declared = [*face.outputs, *("*" for _ in range(count - len(face.outputs)))]
    stored = [*(slot.type for slot in node.outputs), *("*" for _ in range(count - len(node.outputs)))]
    return [s if d in ("*", "COMFY_MATCHTYPE_V3") else d for d, s in zip(declared, stored, strict=True)]
