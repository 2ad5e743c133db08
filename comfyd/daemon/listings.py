"""Whether what a catalogue of an earlier start says of files, such as models, can be relied on before a worker has looked."""

from pathlib import PurePath
from typing import TYPE_CHECKING

from comfyd import provenance
from comfyd.protocol import Graph

if TYPE_CHECKING:
    from comfyd.workflow import Catalogue


def doubtful(graph: Graph, catalogue: "Catalogue") -> list[str]:
    """Classes of the graph that are given names of files, if the folders with such files have changed since."""
    folders = catalogue.made_of.folders
    return [] if provenance.times(folders) == folders else listing(graph, catalogue)


def listing(graph: Graph, catalogue: "Catalogue") -> list[str]:
    """Classes of the graph of which a value is a file among choices."""
    return list(dict.fromkeys(node["class_type"] for node in graph.values() if _names_file(node, catalogue)))


def _names_file(node: dict[str, object], catalogue: "Catalogue") -> bool:
    known, values = catalogue.node(str(node["class_type"])), node["inputs"]
    if known is None or not isinstance(values, dict):
        return False
    inputs = known.inputs_for(values)
    return any(
        isinstance(value, str) and PurePath(value).suffix and _is_choice(inputs.get(name)) for name, value in values.items()
    )


def _is_choice(spec: object) -> bool:
    return getattr(spec, "choices", None) is not None
