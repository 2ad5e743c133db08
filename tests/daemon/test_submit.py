"""What a Submit may carry: either form of a workflow, both, or nothing that runs."""

import json
from typing import Any

import pytest

from comfyd import errors
from comfyd.client import Client
from comfyd.protocol import Done, Submit
from tests.daemon_process import graph

UI = {"nodes": [{"id": 1, "type": "ExtraData"}], "links": [], "version": 0.4}


def extra_data_of(client: Client, request: Submit) -> Any:
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


def saved_with(client: Client, request: Submit) -> list[object]:
    """The widget values of each node in the UI form that the job's files would carry."""
    return [node["widgets_values"] for node in extra_data_of(client, request)["extra_pnginfo"]["workflow"]["nodes"]]


def test_the_ui_form_that_goes_along_has_the_values_of_the_run(client: Client) -> None:
    ui = {
        "nodes": [
            {"id": 1, "type": "ExtraData", "inputs": [], "outputs": []},
            {"id": 2, "type": "Steps", "inputs": [], "outputs": [], "widgets_values": [3]},
            {"id": 3, "type": "Echo", "inputs": [], "outputs": [], "widgets_values": ["before"]},
        ],
        "links": [],
        "version": 0.4,
    }
    for node in ui["nodes"]:
        node.setdefault("widgets_values", [])
    assert saved_with(client, Submit(ui=ui)) == [[], [3], ["before"]]
    assert saved_with(client, Submit(ui=ui, words=["3.text", "after", "2.steps", "5"])) == [[], [5], ["after"]]
    assert saved_with(client, Submit(ui=ui, overrides=[("2.steps", 7)])) == [[], [7], ["before"]]
    api = graph("ExtraData") | {"2": {"class_type": "Steps", "inputs": {"steps": 1}}}
    assert saved_with(client, Submit(api=api, ui=ui, overrides=[("2.steps", 9)])) == [[], [9], ["before"]]
    before = {"extra_pnginfo": {"workflow": ui}}
    assert saved_with(client, Submit(api=api, extra_data=before, overrides=[("2.steps", 4)])) == [[], [4], ["before"]]
