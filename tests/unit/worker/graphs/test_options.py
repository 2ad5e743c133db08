"""What a captured call may know of its options."""

from collections.abc import Callable
from pathlib import PurePath

import pytest

from comfyd.worker.graphs import own
from comfyd.worker.graphs.calls import Refused
from comfyd.worker.graphs.options import StepBlind, graphable, is_known


def test_what_belongs_to_the_step_is_not_passed_on() -> None:
    options = {"sample_sigmas": 1, "uuids": 2, "callbacks": {}, "wrappers": {}, "sigmas": 3, "cond_or_uncond": [0, 1]}
    assert graphable(options) == {"sigmas": 3, "cond_or_uncond": [0, 1]}


LOOKS = [lambda o: o["uuids"], lambda o: o.get("uuids"), lambda o: "uuids" in o, lambda o: o.pop("uuids")]


@pytest.mark.parametrize("look", LOOKS)
def test_looking_at_it_ends_the_capture_in_copies_too(look: Callable[[StepBlind], object]) -> None:
    for options in (StepBlind({"a": 1}), StepBlind({"a": 1}).copy()):
        assert options["a"] == 1
        with pytest.raises(Refused, match="uuids"):
            look(options)


@pytest.mark.parametrize(
    ("module", "known"),
    [
        ("/comfy/comfy_extras/nodes_freelunch", True),
        ("/comfy/custom_nodes/comfy_extras/nodes_freelunch", False),
        ("/comfy/comfy_extras/nodes_hypertile", False),
    ],
)
def test_patches_of_comfyuis_own_nodes_are_known(monkeypatch: pytest.MonkeyPatch, module: str, known: bool) -> None:
    monkeypatch.setattr(own, "_extras", lambda: PurePath("/comfy/comfy_extras"))

    def patch() -> None: ...

    patch.__module__ = module
    patch.__qualname__ = "FreeU_V2.execute.<locals>.output_block_patch"
    assert is_known(patch) is known
