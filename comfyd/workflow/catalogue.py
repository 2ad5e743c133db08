"""The node catalogue: what ComfyUI's ``/object_info`` says about every node class of the engine in use."""

from collections.abc import KeysView
from pathlib import Path
from typing import Any

import msgspec

from comfyd.errors import Unavailable

from .nodeclass import NodeClass, parse_class

FORMAT = 1


class _File(msgspec.Struct):
    format: int
    nodes: dict[str, msgspec.Raw]
    comfyui: str = ""


class Catalogue:
    """All node classes by name. Entries are decoded and parsed when they are first asked for."""

    def __init__(self, nodes: dict[str, Any], comfyui: str = "") -> None:
        self.comfyui = comfyui
        self._raw = nodes
        self._parsed: dict[str, NodeClass] = {}

    @classmethod
    def read(cls, path: Path) -> "Catalogue":
        """The catalogue the worker wrote; raises Unavailable when it cannot be used."""
        try:
            file = msgspec.json.decode(path.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError, RecursionError) as error:
            raise Unavailable(
                f"The node catalogue {path} cannot be read ({error}); restart the daemon to write it anew."
            ) from error
        if file.format != FORMAT:
            raise Unavailable(
                f"The node catalogue {path} has format {file.format}, not {FORMAT}; restart the daemon to write it anew."
            )
        return cls(dict(file.nodes), file.comfyui)

    def node(self, class_type: str) -> NodeClass | None:
        """The class of that name, or None."""
        found = self._parsed.get(class_type)
        if found is None and class_type in self._raw:
            found = self._parsed[class_type] = parse_class(class_type, _decoded(self._raw[class_type]))
        return found

    def names(self) -> KeysView[str]:
        """The names of all classes."""
        return self._raw.keys()

    def replace(self, classes: dict[str, Any]) -> "Catalogue":
        """A catalogue with fresh entries for some classes; an entry of None removes its class."""
        fresh = Catalogue({k: v for k, v in {**self._raw, **classes}.items() if v is not None}, self.comfyui)
        fresh._parsed = {name: node for name, node in self._parsed.items() if name not in classes}
        return fresh


def _decoded(entry: Any) -> Any:
    if not isinstance(entry, msgspec.Raw):
        return entry
    try:
        return msgspec.json.decode(entry)
    except (msgspec.MsgspecError, RecursionError):
        return None
