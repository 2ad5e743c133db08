"""From the two forms of a workflow to the graph that runs."""

import pytest

from comfyd.errors import WorkflowInvalid
from comfyd.workflow import Catalogue, prepare


@pytest.mark.parametrize("nodes", [[], [{"id": 1, "type": "SaveImage", "mode": 2, "inputs": [], "outputs": []}]])
def test_a_workflow_of_which_nothing_runs_is_told_so(nodes: list[object], catalogue: Catalogue):
    with pytest.raises(WorkflowInvalid, match="no node that runs"):
        prepare(None, {"nodes": nodes, "links": [], "version": 0.4}, catalogue)


def test_a_workflow_without_either_form_is_refused(catalogue: Catalogue):
    with pytest.raises(WorkflowInvalid, match="is empty"):
        prepare(None, None, catalogue)
