"""What a Submit may carry: either form of a workflow, both, or nothing that runs."""

import json

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import Done, Submit
from tests.daemon_process import graph

UI = {"nodes": [{"id": 1, "type": "ExtraData"}], "links": [], "version": 0.4}


def extra_data_of(client: Client, request: Submit) -> object:
    """What the worker was given beside the graph."""
    done = client.call(request)
    assert isinstance(done, Done)
    return json.loads(done.outputs["1"]["text"][0])


def test_the_ui_form_goes_along_for_the_files_that_the_job_saves(client: Client) -> None:
    request = Submit(api=graph("ExtraData"), ui=UI, extra_data={"a": 1, "extra_pnginfo": {"b": 2}})
    assert extra_data_of(client, request) == {"a": 1, "extra_pnginfo": {"b": 2, "workflow": UI}}
    assert extra_data_of(client, Submit(api=graph("ExtraData"), ui=UI, extra_data={"extra_pnginfo": 3})) == {
        "extra_pnginfo": {"workflow": UI}
    }


def test_without_a_ui_form_the_extra_data_stays_as_it_is(client: Client) -> None:
    assert extra_data_of(client, Submit(api=graph("ExtraData"), extra_data={"a": 1})) == {"a": 1}


def test_a_submit_without_a_workflow_is_refused(client: Client) -> None:
    with pytest.raises(errors.WorkflowInvalid, match="empty"):
        client.call(Submit())
    assert extra_data_of(client, Submit(api=graph("ExtraData"))) == {}
