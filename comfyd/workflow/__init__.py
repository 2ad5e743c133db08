"""Pure: workflow formats, the node catalogue, parameters and their aliases, binding overrides into a checked graph.

Names are imported when first asked for: the client needs ``load`` alone, on every command.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .binding import Bound, bind
    from .catalogue import Catalogue
    from .document import Document
    from .parameter import Parameter, parameters
    from .prepared import prepare
    from .source import load
    from .words import pairs_of

__all__ = ["Bound", "Catalogue", "Document", "Parameter", "bind", "load", "pairs_of", "parameters", "prepare"]

_HOME = {
    "Bound": "binding",
    "bind": "binding",
    "Catalogue": "catalogue",
    "Document": "document",
    "Parameter": "parameter",
    "parameters": "parameter",
    "load": "source",
    "pairs_of": "words",
    "prepare": "prepared",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_HOME[name]}", __name__), name)
    return value
