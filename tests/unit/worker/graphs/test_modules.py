"""Methods of modules as calls that become graphs."""

from collections.abc import Callable, Iterator

import pytest
import torch

from comfyd.worker.graphs import modules, own, parts, weights
from comfyd.worker.graphs.calls import Graphs
from comfyd.worker.graphs.ledger import Step
from comfyd.worker.graphs.modules import Method

from .fake import make


@pytest.fixture(autouse=True)
def _anywhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Weights and values may be in RAM."""
    monkeypatch.setattr(modules, "_device", lambda args, kwargs: "")
    monkeypatch.setattr(weights, "_tensor_reason", lambda tensor: "")
    monkeypatch.setattr(own, "_OWN", own._OWN | {"tests"})
    yield
    weights.changed()


class Coder(torch.nn.Module):
    """Both of its halves take three channels and give three."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.full((1,), 3.0), requires_grad=False)

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        return x / self.weight

    def decode(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.weight


def of_one(args: tuple[torch.Tensor, ...], kwargs: dict[str, torch.Tensor]) -> bool:
    return args[0].shape[0] == 1


def coder(mode: Callable[[], str | None] = lambda: "exact") -> tuple[type[Coder], Graphs]:
    graphs, _ = make()

    class Graphed(Coder):
        encode = modules.graphed(graphs, Method(Coder, "encode", True), mode)
        decode = modules.graphed(graphs, Method(Coder, "decode", True, of_one), mode)

    return Graphed, graphs


def test_halves_of_one_module_never_share_a_graph() -> None:
    kind, graphs = coder()
    made, x = kind(), torch.ones(1, 3, 8, 8)
    for _ in range(4):
        assert torch.equal(made.encode(x), x / 3)
        assert torch.equal(made.decode(x), x * 3)
    entries = {key.label: entry.step for key, entry in graphs.ledger}
    assert entries == {"Graphed.encode": Step.REPLAY, "Graphed.decode": Step.REPLAY}


def test_a_call_that_is_no_jobs_is_left_alone() -> None:
    kind, graphs = coder(lambda: None)
    made = kind()
    for _ in range(4):
        made.encode(torch.ones(1))
    assert list(graphs.ledger) == []


def test_calls_of_a_rare_kind_are_left_alone() -> None:
    kind, graphs = coder()
    made = kind()
    for _ in range(4):
        made.decode(torch.ones(2, 3, 8, 8))
    assert list(graphs.ledger) == []


def test_weights_are_not_looked_at_again_in_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    kind, _ = coder()
    made, looks = kind(), []
    addresses = parts.Flat.addresses
    monkeypatch.setattr(parts.Flat, "addresses", lambda self: looks.append(self) or addresses(self))
    for _ in range(5):
        made.encode(torch.ones(1, 3, 8, 8))
    assert len(looks) == 1
