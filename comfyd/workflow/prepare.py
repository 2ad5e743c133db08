"""From the two forms of a workflow to the graph that runs."""

from typing import TYPE_CHECKING, Any

from comfyd.errors import WorkflowFormat, WorkflowInvalid
from comfyd.protocol import Graph

if TYPE_CHECKING:
    from .catalogue import Catalogue


def prepare(api: Graph | None, ui: dict[str, Any] | None, catalogue: "Catalogue") -> Graph:
    """The API form where there is one, else the UI form converted by the catalogue's node classes."""
    if api is not None:
        return api
    if ui is None:
        raise WorkflowInvalid("The workflow is empty; give its API form, its UI form or both.")
    try:
        from .convert import convert  # type: ignore[import-not-found, unused-ignore]
    except ModuleNotFoundError:
        raise WorkflowFormat(
            "The workflow is in ComfyUI's UI format, which is not supported yet; "
            "export it in ComfyUI with 'Workflow > Export (API)' and give that file."
        ) from None
    graph: Graph = convert(ui, catalogue)
    return graph
