"""The node catalogue: what ComfyUI's ``/object_info`` says about every node class of the engine in use."""

import json
from collections.abc import KeysView
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from comfyd.errors import Unavailable
from comfyd.protocol import CATALOGUE_FORMAT

from .nodeclass import NodeClass, parse_class

if TYPE_CHECKING:
    from comfyd.provenance import Provenance

_FIX = "restart the daemon, which writes it anew."


class _File(msgspec.Struct):
    format: int
    nodes: dict[str, Any]
    comfyui: str = ""
    made_of: dict[str, Any] = {}
    replacements: dict[str, Any] = {}


class _Undecoded(msgspec.Struct):
    format: int
    nodes: dict[str, msgspec.Raw]
    comfyui: str = ""
    made_of: msgspec.Raw = msgspec.Raw(b"{}")
    replacements: dict[str, Any] = {}


class Catalogue:
    """All node classes by name. Entries are decoded and parsed when they are first asked for, from any thread."""

    def __init__(self, nodes: dict[str, Any], comfyui: str = "", made_of: Any = None) -> None:
        self.comfyui = comfyui
        self._made_of = made_of or {}
        self._raw = nodes
        self._parsed: dict[str, NodeClass] = {}
        self.replacements: dict[str, Any] = {}
        """What ComfyUI puts in the place of classes of old names: ``/node_replacements``, by the old name."""

    @classmethod
    def read(cls, path: Path) -> "Catalogue":
        """The catalogue the worker wrote; raises Unavailable when it cannot be used."""
        try:
            file = _decode(path.read_bytes())
        except (OSError, ValueError, RecursionError) as error:
            raise Unavailable(f"The node catalogue {path} cannot be read ({error}); {_FIX}") from error
        if file.format != CATALOGUE_FORMAT:
            raise Unavailable(f"The node catalogue {path} has format {file.format}, not {CATALOGUE_FORMAT}; {_FIX}")
        found = cls(dict(file.nodes), file.comfyui, file.made_of)
        found.replacements = file.replacements
        return found

    @property
    def made_of(self) -> "Provenance":
        """What it depends on, where its maker has said so."""
        from comfyd.provenance import Provenance

        return msgspec.convert(_entry(self._made_of), Provenance)

    def node(self, class_type: str) -> NodeClass | None:
        """The class of that name, or None."""
        found = self._parsed.get(class_type)
        if found is None and class_type in self._raw:
            found = self._parsed[class_type] = parse_class(class_type, _entry(self._raw[class_type]))
        return found

    def entry(self, class_type: str) -> dict[str, Any] | None:
        """What ``/object_info`` says about the class, as it stands, or None."""
        found = _entry(self._raw[class_type]) if class_type in self._raw else None
        return found if isinstance(found, dict) else None

    def names(self) -> KeysView[str]:
        """The names of all classes."""
        return self._raw.keys()

    def replace(self, classes: dict[str, Any]) -> "Catalogue":
        """A catalogue with fresh entries for some classes; an entry of None removes its class."""
        entries = {k: v for k, v in {**self._raw, **classes}.items() if v is not None}
        fresh = Catalogue(entries, self.comfyui, self._made_of)
        fresh.replacements = self.replacements
        fresh._parsed = {name: node for name, node in self._parsed.copy().items() if name not in classes}
        return fresh

    def encode(self) -> bytes:
        """The bytes of a file that ``read`` takes."""
        entries = {k: v if isinstance(v, msgspec.Raw) else msgspec.Raw(json.dumps(v).encode()) for k, v in self._raw.items()}
        about = {"format": CATALOGUE_FORMAT, "comfyui": self.comfyui, "made_of": self._made_of}
        return msgspec.json.encode(about | {"replacements": self.replacements, "nodes": entries})


def _decode(data: bytes) -> _File | _Undecoded:
    try:
        return msgspec.json.decode(data, type=_Undecoded)
    except msgspec.DecodeError:
        # Where a node gives infinity as a limit, Python's own encoder writes what is not JSON, and its decoder reads it.
        return msgspec.convert(json.loads(data), _File)


def _entry(raw: Any) -> Any:
    return msgspec.json.decode(raw) if isinstance(raw, msgspec.Raw) else raw
