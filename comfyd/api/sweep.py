"""The combinations of a program's sweep, in the order in which they run."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from comfyd.errors import Unavailable
from comfyd.inuse import catalogue_in_use
from comfyd.workflow import Catalogue, Document, prepare
from comfyd.workflow.naming.address import Names
from comfyd.workflow.sweep.axes import axes, combinations
from comfyd.workflow.sweep.order import ordered


def every(document: Document, values: Mapping[str, Any], cache: Path, *, paired: bool) -> list[dict[str, Any]]:
    """The overrides of each job; raises what the values are refused with, by the engine's catalogue."""
    file = catalogue_in_use(cache)
    if file is None:
        raise Unavailable("The engine has left no node catalogue; `comfyd restart` writes it anew.")
    catalogue = Catalogue.read(file)
    names = Names.of(prepare(document.api, document.ui, catalogue), catalogue, document.aliases)
    found = axes([], list(values.items()), names)
    runs = ordered(found, combinations(found, paired=paired), names.wiring)
    return [{axis.name: value for axis, value in zip(found, run, strict=True)} for run in runs]
