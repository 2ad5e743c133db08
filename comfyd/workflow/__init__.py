"""Pure: workflow formats, the node catalogue, parameters and their aliases, binding overrides into a checked graph."""

from .bind import Bound, bind
from .catalogue import Catalogue
from .parameters import Parameter, parameters
from .source import load

__all__ = ["Bound", "Catalogue", "Parameter", "bind", "load", "parameters"]
