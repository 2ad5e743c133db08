"""From ComfyUI's UI form of a workflow to the API graph that its editor's "Export (API)" gives. Pure, without a browser."""

from datetime import datetime
from typing import Any

from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue

from . import primitives, replacements
from .definitions import read_levels
from .follow import Follow
from .graph import write
from .layouts import Layouts
from .places import expand
from .promotion import Promotion

__all__ = ["convert"]


def convert(ui: dict[str, Any], catalogue: Catalogue, now: datetime | None = None) -> Graph:
    """The API graph of a workflow saved by ComfyUI's editor.

    Raises ConversionFailed for a document that no editor saves, NodeNotConvertible for a node that only the editor can
    carry out, and UnknownNode for a class that the engine does not have. ``now`` is the time for names of files. Choices
    in prompts (``{red|green}``) stay as they are: who binds the graph draws them.
    """
    levels = read_levels(ui, catalogue)
    layouts = Layouts(levels, catalogue)
    promotion = Promotion(levels, layouts)
    places = expand(levels)
    used = [levels.root, *levels.order]
    for level in used:
        primitives.apply(level, layouts)
    replacements.replace(used, layouts, now or datetime.now())
    return write(places, layouts, Follow(layouts, promotion, levels))
