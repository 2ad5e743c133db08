"""Whose code something is."""

import functools
from pathlib import PurePath
from types import SimpleNamespace
from typing import Any

import pytest

from comfyd.worker.graphs import own
from comfyd.worker.graphs.foreign import takes_part


@pytest.fixture(autouse=True)
def _extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "_extras", lambda: PurePath("/engine.d/comfy_extras"))


@pytest.mark.parametrize(
    ("module", "is_own"),
    [
        ("comfy.ops", True),
        ("torch.nn.modules.linear", True),
        ("/engine.d/comfy_extras/nodes_model_advanced", True),
        ("/engine.d/custom_nodes/comfy_extras/nodes_model_advanced", False),
        ("/engine_x_d/custom_nodes/pack", False),
        ("comfyui_pack", False),
    ],
)
def test_modules(module: str, is_own: bool) -> None:
    assert own.is_own(module) is is_own


@pytest.mark.parametrize(
    ("parent", "module", "may"),
    [
        (None, "nodes", False),
        ("comfy_extras.nodes_model_advanced", "/engine.d/comfy_extras/nodes_model_advanced", False),
        ("comfy_extras.nodes_train", "/engine.d/comfy_extras/nodes_train", True),
        ("custom_nodes.pack", "/engine.d/custom_nodes/pack", True),
        (None, "/engine.d/custom_nodes/pack", True),
    ],
)
def test_nodes_that_may_change_modules(parent: str | None, module: str, may: bool) -> None:
    node = type("Node", (), {"__module__": module} | ({"RELATIVE_PYTHON_MODULE": parent} if parent else {}))
    assert own.may_change_modules(node) is may


def function(module: str) -> Any:
    def patch() -> None: ...

    patch.__module__ = module
    return patch


def guider(**settings: Any) -> Any:
    made = type("CFGGuider", (), {"__module__": "comfy.samplers"})()
    made.model_patcher = SimpleNamespace(callbacks=settings.get("callbacks", {}), wrappers=settings.get("wrappers", {}))
    made.model_options = settings.get("options", {})
    return made


def sampler(module: str = "comfy.k_diffusion.sampling") -> Any:
    made = type("KSAMPLER", (), {"__module__": "comfy.samplers"})()
    made.sampler_function, made.extra_options = function(module), {"eta": 1.0}
    return made


OWN, PACKS = function("/engine.d/comfy_extras/nodes_freelunch"), function("/engine.d/custom_nodes/pack")


@pytest.mark.parametrize(
    ("guider", "sampler", "takes"),
    [
        (guider(), sampler(), False),
        (guider(options={"transformer_options": {"patches": {"output_block_patch": [OWN]}}}), sampler(), False),
        (guider(options={"transformer_options": {"patches": {"output_block_patch": [OWN, PACKS]}}}), sampler(), True),
        (guider(options={"sampler_cfg_function": functools.partial(PACKS)}), sampler(), True),
        (guider(wrappers={"outer_sample": {None: [PACKS]}}), sampler(), True),
        (guider(callbacks={"on_pre_run": {None: [PACKS]}}), sampler(), True),
        (guider(), sampler("pack.samplers"), True),
    ],
)
def test_code_of_node_packs_in_a_run(guider: Any, sampler: Any, takes: bool) -> None:
    assert takes_part(guider, (None, None, sampler), {}) is takes
    assert takes_part(guider, (), {"sampler": sampler}) is takes
