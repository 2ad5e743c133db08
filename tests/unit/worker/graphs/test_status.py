"""What people are told of graphs."""

import torch

from comfyd.worker.graphs import status

from .fake import Model, make


def notes(*models: Model) -> set[tuple[str, int, str]]:
    lines = status.lines(models[0].graphs, {1: "fox.safetensors"}, "cuda:0")
    assert {line.kind for line in lines} <= {"graph"}
    return {(line.name, line.size, line.note) for line in lines}


def test_captured_calls_count_their_replays() -> None:
    graphs, _ = make()
    model = Model(graphs)
    for _ in range(5):
        model(torch.ones(2))
    for _ in range(3):
        model(torch.ones(3))
    assert notes(model) == {("fox.safetensors", 200, "Model, 2 captured, 4 replays")}


def test_refused_calls_say_why_by_the_models_file_or_class() -> None:
    graphs, _ = make(error=RuntimeError("it draws random numbers"))
    model, unknown = Model(graphs, owner=1), Model(graphs, owner=2)
    for _ in range(2):
        model(torch.ones(2))
    unknown(torch.ones(2), patches={"attn1": [print]})
    assert notes(model) == {
        ("fox.safetensors", 0, "Model runs eagerly: it draws random numbers"),
        ("Model", 0, "Model runs eagerly: it is given builtins.print"),
    }


def test_what_goes_takes_its_lines_along() -> None:
    graphs, _ = make()
    model = Model(graphs)
    model(torch.ones(2), patches=[print])
    graphs.forget(1)
    assert notes(model) == set()
