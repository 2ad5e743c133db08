"""Arguments taken apart and put together again."""

import pytest
import torch

from comfyd.worker.graphs.tree import Unsupported, build, flatten


def test_what_is_taken_apart_is_put_together_with_other_tensors() -> None:
    value = {"x": torch.ones(2), "control": {"input": [torch.zeros(3), None]}, "n": (1, 2.5, "a", torch.float16)}
    structure, tensors = flatten(value)
    assert [tensor.shape for tensor in tensors] == [(2,), (3,)]
    rebuilt = build(structure, [tensor + 1 for tensor in tensors])
    assert torch.equal(rebuilt["x"], torch.full((2,), 2.0))
    assert rebuilt["control"]["input"][1] is None
    assert rebuilt["n"] == value["n"]


def test_structures_differ_by_every_plain_value_and_its_type() -> None:
    values = [{"a": 1}, {"a": 1.0}, {"a": True}, {"a": "1"}, {"b": 1}, {"a": [1]}, {"a": (1,)}, {"a": None}]
    structures = [flatten(value)[0] for value in values]
    assert len(set(structures)) == len(values)


def test_only_known_objects_may_stand_in_a_structure() -> None:
    def patch() -> None: ...

    with pytest.raises(Unsupported, match="patch"):
        flatten({"patches": [patch]})
    structure, _ = flatten({"patches": [patch]}, lambda value: value is patch)
    assert build(structure, []) == {"patches": [patch]}


def test_a_tensor_of_another_class_is_unsupported() -> None:
    class Quantized(torch.Tensor):
        pass

    with pytest.raises(Unsupported, match="Quantized"):
        flatten([torch.ones(1).as_subclass(Quantized)])
