"""Pure: workflow formats, the node catalogue, parameters and their aliases, binding overrides into a checked graph.

Names are imported when first asked for: the client needs ``load`` alone, on every command.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .binding import Bound, bind
    from .classes.catalogue import Catalogue
    from .document import Document
    from .naming.parameter import Parameter, parameters
    from .naming.words import pairs_of
    from .prepared import prepare
    from .sources.source import load

__all__ = ["Bound", "Catalogue", "Document", "Parameter", "bind", "load", "pairs_of", "parameters", "prepare"]

_HOME = {
    "Bound": "binding",
    "bind": "binding",
    "Catalogue": "classes.catalogue",
    "Document": "document",
    "Parameter": "naming.parameter",
    "parameters": "naming.parameter",
    "load": "sources.source",
    "pairs_of": "naming.words",
    "prepare": "prepared",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOME[name]}", __name__), name)
    return value
