"""What an earlier start of the same engine has left in the catalogue's file, read before the engine is imported."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

import comfyd
from comfyd import provenance
from comfyd.protocol import CATALOGUE_FORMAT
from comfyd.provenance import Provenance
from comfyd.whole import put


class Known(msgspec.Struct):
    """The catalogue as it stands on disk; empty where there is none that can be used."""

    format: int = CATALOGUE_FORMAT
    made_of: Provenance = Provenance()
    nodes: dict[str, msgspec.Raw] = {}
    display_names: dict[str, str] = {}
    replacements: dict[str, Any] = {}
    modules: dict[str, list[str]] = {}
    """Names of the classes by the node module of ComfyUI's own that gives them."""


def read(file: Path, now: Provenance) -> Known:
    """What can be relied on: nothing, unless the engine is what it was."""
    try:
        known = _decoded(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Known()
    return known if known.format == CATALOGUE_FORMAT and known.made_of.same_engine(now) else Known()


def _decoded(data: bytes) -> Known:
    try:
        return msgspec.json.decode(data, type=Known)
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        # Where a node gives infinity as a limit, Python's own encoder writes what is not JSON, and its decoder reads it.
        content = json.loads(data)
        nodes = {name: msgspec.Raw(json.dumps(entry).encode()) for name, entry in content.pop("nodes").items()}
        return msgspec.structs.replace(msgspec.convert(content, Known), nodes=nodes)


def engine(comfyui: Path, configurations: list[str]) -> Provenance:
    """What the engine is made of, apart from node packs; ``configurations`` are further files its folders depend on."""
    directories = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    return Provenance(
        interpreter=f"{sys.executable} {sys.version} comfyd {comfyd.__version__}",
        arguments=sys.argv[1:],
        engine={path: provenance.engine_stamp(path) for path in (str(comfyui), *configurations)},
        packages=provenance.times(directories),
    )


def write(file: Path, version: str, known: Known) -> None:
    """Puts the catalogue in place at once and whole."""
    content = {
        "format": known.format,
        "comfyui": version,
        "made_of": msgspec.to_builtins(known.made_of),
        "display_names": known.display_names,
        "modules": known.modules,
        "replacements": known.replacements,
    }
    # Python's own encoder, for a node may give infinity as a limit.
    nodes = ", ".join(f"{json.dumps(name)}: {bytes(entry).decode()}" for name, entry in known.nodes.items())
    put(file, f'{json.dumps(content)[:-1]}, "nodes": {{{nodes}}}}}'.encode())
