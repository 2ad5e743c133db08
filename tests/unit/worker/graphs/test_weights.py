"""Epochs follow the addresses of weights, whatever moved them."""

import gc
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
