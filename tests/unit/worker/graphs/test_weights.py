"""Epochs follow the addresses of weights, whatever moved them."""

import copy
import gc
import sys
import types
from collections.abc import Callable

import pytest
import torch

from comfyd.worker.graphs import weights


def model() -> torch.nn.Module:
    made = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4))
    return made.eval().requires_grad_(False)


def epoch(module: torch.nn.Module) -> int:
    weights.look_again()
    return weights.of(module, lambda _: None).epoch


def test_values_changed_in_place_keep_the_epoch() -> None:
    net = model()
    before = epoch(net)
    net[0].weight.data.copy_(torch.ones(4, 4))
    weights.changed()
    assert epoch(net) == before


def test_another_parameter_buffer_or_storage_is_another_epoch() -> None:
    net = model()
    seen = [epoch(net)]
    net[0].weight = torch.nn.Parameter(torch.ones(4, 4), requires_grad=False)
    seen.append(epoch(net))
    net[1].running_mean = torch.zeros(4)
    seen.append(epoch(net))
    net[0].weight.data = torch.zeros(4, 4)
    seen.append(epoch(net))
    assert len(set(seen)) == 4


def test_weights_that_come_back_to_an_old_address_are_still_another_epoch() -> None:
    net = model()
    first, kept = epoch(net), net[0].weight
    net[0].weight = torch.nn.Parameter(torch.ones(4, 4), requires_grad=False)
    second = epoch(net)
    net[0].weight = kept
    assert len({first, second, epoch(net)}) == 3


def test_a_module_put_in_place_of_another_is_seen_once_a_change_was_said() -> None:
    net = model()
    before = epoch(net)
    net[0] = torch.nn.Linear(4, 4)
    weights.changed()
    assert epoch(net) != before


def test_two_modules_never_share_an_owner() -> None:
    assert len({weights.of(model(), lambda _: None).owner for _ in range(20)}) == 20


def test_a_collected_module_says_so_with_its_number() -> None:
    dead: list[int] = []
    net = model()
    owner = weights.of(net, dead.append).owner
    del net
    gc.collect()
    assert dead == [owner]


def test_parts_are_found_by_their_whole() -> None:
    net = model()
    owners = [weights.of(part, lambda _: None).owner for part in (net, net[0])]
    assert sorted(weights.owned_by(net)) == sorted(owners)


class Foreign(torch.nn.Linear):
    pass


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda net: net.append(Foreign(4, 4)), "its layers come from"),
        (lambda net: net[0].register_forward_hook(lambda *_: None), "hooks into Linear"),
        (lambda net: setattr(net[0], "forward", lambda x: x), "hooks into Linear"),
        (lambda net: setattr(net[0], "weight_function", [lambda w: w]), "patched on every call"),
        (lambda net: None, "in RAM"),
    ],
)
def test_what_speaks_against_a_graph(spoil: Callable[[torch.nn.Module], object], reason: str) -> None:
    net = model()
    spoil(net)
    assert reason in weights.of(net, lambda _: None).reason


def test_what_comfyd_has_compiled_is_no_obstacle() -> None:
    net = model()

    def forward(x: torch.Tensor) -> torch.Tensor:
        return x

    forward.__module__ = "comfyd.worker.fast.root"
    net[0].forward = forward
    found = weights.of(net, lambda _: None)
    assert found.compiled
    assert "hooks" not in found.reason


def bend(net: torch.nn.Module) -> None:
    conv = net[0]

    def forward(self: torch.nn.Module, *args: object) -> object:
        return args[0]

    conv._conv_forward = types.MethodType(forward, conv)


def replace_method(net: torch.nn.Module) -> None:
    net[0].forward = lambda x: x * 3


def hook(net: torch.nn.Module) -> None:
    net[0].register_forward_hook(lambda module, given, made: made * 2)


@pytest.mark.parametrize("spoil", [bend, replace_method, hook])
def test_code_put_into_a_part_is_seen_without_a_load(
    monkeypatch: pytest.MonkeyPatch, spoil: Callable[[torch.nn.Module], None]
) -> None:
    monkeypatch.setattr(weights, "_tensor_reason", lambda tensor: "")
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3)).requires_grad_(False)
    assert weights.of(net, lambda _: None).reason == ""
    spoil(net)
    weights.look_again()
    assert "code of a node pack hooks into Conv2d" in weights.of(net, lambda _: None).reason


def test_a_part_put_in_place_of_another_is_seen_without_a_load() -> None:
    net = model()
    before = epoch(net)
    net[0] = torch.nn.Linear(4, 4)
    assert epoch(net) != before


def test_a_setting_of_a_part_that_was_changed_is_another_epoch_once_a_node_has_run() -> None:
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 1, 3)).requires_grad_(False)
    before = epoch(net)
    net[0].padding_mode = "circular"
    weights.meddled()
    assert epoch(net) != before


def test_a_function_that_was_replaced_is_another_epoch_once_a_node_has_run(monkeypatch: pytest.MonkeyPatch) -> None:
    net = model()
    before = epoch(net)
    weights.meddled()
    assert epoch(net) == before
    monkeypatch.setattr(torch.nn.functional, "linear", lambda x, *_: x)
    weights.meddled()
    assert epoch(net) != before


def test_a_method_put_back_as_it_was_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_tensor_reason", lambda tensor: "")
    net = model()
    before = epoch(net)
    original = net[0].forward
    replace_method(net)
    weights.look_again()
    assert weights.of(net, lambda _: None).reason
    net[0].forward = original
    weights.changed()
    assert (epoch(net), weights.of(net, lambda _: None).reason) == (before, "")


def test_a_copy_of_a_module_is_another_module() -> None:
    net = model()
    owner = weights.of(net, lambda _: None).owner
    copied = weights.of(copy.deepcopy(net), lambda _: None)
    assert copied.owner != owner
    assert weights.of(net, lambda _: None).owner == owner


def test_the_sampling_of_a_model_is_looked_at_by_itself() -> None:
    net = model()
    net.model_sampling = torch.nn.BatchNorm1d(3)
    before = epoch(net)
    net.model_sampling = Foreign(4, 4)
    weights.changed()
    assert epoch(net) == before
    assert "its layers come from" not in weights.of(net, lambda _: None).reason
    assert "its layers come from" in weights.of(net.model_sampling, lambda _: None).reason


class Patcher:
    """The part of ComfyUI's ``ModelPatcher`` that is watched."""

    def __init__(self, net: torch.nn.Module, inject: Callable[[], None]) -> None:
        self.model = net
        self.injections: dict[str, list[Callable[[], None]]] = {"lora": [inject]}
        self.object_patches: dict[str, object] = {}
        self.object_patches_backup: dict[str, object] = {}
        self.is_injected = self.skip_injection = False

    def inject_model(self) -> None:
        for injections in () if self.is_injected else self.injections.values():
            for inject in injections:
                inject()
                self.is_injected = True

    def eject_model(self) -> None:
        self.is_injected = False

    def _nothing(self, *args: object, **kwargs: object) -> None:
        pass

    load = partially_unload = patch_hook_weight_to_device = patch_model = unpatch_model = detach = _nothing


def test_what_is_injected_into_a_model_keeps_its_parts_eager_until_it_is_ejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "_tensor_reason", lambda tensor: "")
    monkeypatch.setitem(sys.modules, "comfy", types.ModuleType("comfy"))
    monkeypatch.setitem(sys.modules, "comfy.model_patcher", types.SimpleNamespace(ModelPatcher=type("Watched", (Patcher,), {})))
    weights.watch(lambda model: None)
    net = model()
    patcher = sys.modules["comfy.model_patcher"].ModelPatcher(net, lambda: None)

    def reason() -> str:
        return weights.of(net[0], lambda _: None).reason

    assert reason() == ""
    patcher.inject_model()
    assert reason() == "a node has changed its modules"
    patcher.eject_model()
    assert reason() == ""
