"""Combinations are known again by what they make, and their files' names say what they are."""

from pathlib import Path
from typing import Any

from comfyd_cli.sweep.files import copied
from comfyd_cli.sweep.points import digest, points, stem, text, unique
from hypothesis import given
from hypothesis import strategies as st

from comfyd.protocol import Graph
from comfyd.workflow import load
from comfyd.workflow.sweep.axes import Axis


def of(*axes: Axis, digest: str = "d") -> list[Any]:
    return points(axes, [tuple(axis.values[0] for axis in axes)], range(len(axes)), digest)


def axis(name: str, *values: Any, address: tuple[str, str] = ("5", "x")) -> Axis:
    return Axis(name, (address,), values)


def test_a_name_tells_the_values() -> None:
    assert stem({"seed": 1, "cfg": 4.0, "denoise": 0.5}) == "seed=1,cfg=4,denoise=0.5"
    assert stem({"prompt": "a red/fox: ../../etc, *now*?"}) == "prompt=a-red-fox-..-..-etc-now"
    assert stem({"prompt": ""}) == "prompt=none"
    assert stem({"prompt": "ein Fuchs im Grünen"}) == "prompt=ein-Fuchs-im-Grünen"
    assert stem({}) == "picture"
    assert list(unique(iter(["A", "a", "b", "a"]))) == ["A", "a~2", "b", "a~3"]
    assert [text(value) for value in (4.0, 4.5, True, 10**20, 1e300)] == ["4", "4.5", "true", str(10**20), "1e+300"]


@given(st.dictionaries(st.text(max_size=300), st.text(max_size=500) | st.integers() | st.floats(), max_size=12))
def test_any_name_is_a_name_of_one_file(values: dict[str, Any]) -> None:
    name = stem(values)
    assert 0 < len(name.encode()) <= 180
    assert "/" not in name
    assert not name.startswith((".", "-"))
    assert name.isprintable()


def test_a_key_is_what_is_made_and_not_how_it_was_typed() -> None:
    (one,), (same,) = of(axis("seed", 1)), of(axis("5.x", 1))
    assert one.key == same.key
    keys = {of(axis("seed", value))[0].key for value in (1, 2, 1.5, "1")} | {of(axis("seed", 1), digest="e")[0].key}
    assert len(keys) == 5
    both, turned = of(axis("a", 1), axis("b", 2, address=("6", "y"))), of(axis("b", 2, address=("6", "y")), axis("a", 1))
    assert both[0].key == turned[0].key


def test_a_graph_s_titles_and_order_are_no_content() -> None:
    graph: Graph = load("demo").api or {}
    other = {id_: {name: part for name, part in node.items() if name != "_meta"} for id_, node in reversed(graph.items())}
    assert digest(graph) == digest(other)
    assert digest(graph) != digest(graph, "fast")
    other["5"]["inputs"] = other["5"]["inputs"] | {"steps": 3}
    assert digest(graph) != digest(other)


def test_a_file_is_whole_and_another_s_name_is_left(tmp_path: Path) -> None:
    source, target = tmp_path / "source.png", tmp_path / "seed=1.png"
    source.write_bytes(b"one")
    assert copied(source, target) == target
    assert copied(source, target) == target
    source.write_bytes(b"two")
    assert copied(source, target) == tmp_path / "seed=1~2.png"
    assert target.read_bytes() == b"one"
