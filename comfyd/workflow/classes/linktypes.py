"""Whether the output of one node fits an input of another, by ComfyUI's rules for type names."""

from typing import Any

from . import dynamic

ANY = "*"
MATCH = "COMFY_MATCHTYPE_V3"


def fits(received: Any, wanted: Any) -> bool:
    """Whether a link of the received type may feed an input of the wanted type: equal, any, or unions that overlap."""
    if received == wanted or ANY in (received, wanted) or MATCH in (received, wanted):
        return True
    if wanted == dynamic.COMBO or (isinstance(received, list) and wanted == "COMBO"):
        return True
    if not isinstance(received, str) or not isinstance(wanted, str):
        return False
    given, taken = _names(received), _names(wanted)
    return ANY in given or ANY in taken or not given.isdisjoint(taken)


def _names(union: str) -> set[str]:
    return {name.strip() for name in union.split(",")}
