"""From the two forms of a workflow to the graph that runs."""

from typing import TYPE_CHECKING, Any

from comfyd.errors import WorkflowInvalid
from comfyd.protocol import Graph

from .replaced import with_replacements

if TYPE_CHECKING:
    from .classes.catalogue import Catalogue


def prepare(api: Graph | None, ui: dict[str, Any] | None, catalogue: "Catalogue") -> Graph:
    """The API form where there is one, else the UI form converted by the catalogue's node classes; nodes of old names replaced.

    Raises WorkflowInvalid when there is neither, and what ``convert`` raises.
    """
    if api is not None:
        return with_replacements(api, catalogue)
    if ui is None:
        raise WorkflowInvalid("The workflow is empty; give its API form, its UI form or both.")
    from .convert import convert  # most workflows that run come in the API form

    graph = convert(ui, catalogue)
    if not graph:
        raise WorkflowInvalid("The workflow has no node that runs: all are muted, bypassed or notes; turn some on in ComfyUI.")
    return with_replacements(graph, catalogue)
