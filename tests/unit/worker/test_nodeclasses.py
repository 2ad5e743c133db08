"""A mapping that imports on access looks like the complete dictionary from the beginning."""

from collections.abc import Callable
from typing import Any

import pytest

from comfyd.worker.nodeclasses import NodeClasses


@pytest.fixture
def loaded() -> list[str]:
    return []


@pytest.fixture
def classes(loaded: list[str]) -> NodeClasses:
    made = NodeClasses({"Core": 0})
    modules = {"one": {"A": 1, "B": 2}, "two": {"C": 3}}

    def load(module: str) -> None:
        loaded.append(module)
        for name, value in modules[module].items():
            made[name] = value

    made.load = load
    made.expect("one", ["A", "B"])
    made.expect("two", ["C", "Gone"])
    return made


ALL = {"Core": 0, "A": 1, "B": 2, "C": 3}


def test_names_need_no_import(classes: NodeClasses, loaded: list[str]) -> None:
    assert list(classes) == list(classes.keys()) == ["Core", "A", "B", "C", "Gone"]
    assert len(classes) == 5
    assert "C" in classes
    assert "D" not in classes
    assert classes["Core"] == 0
    assert classes.get("D") is None
    assert classes.waits("A")
    assert not classes.waits("Core")
    assert loaded == []


def test_a_class_imports_its_module_alone_and_once(classes: NodeClasses, loaded: list[str]) -> None:
    assert classes["B"] == 2
    assert classes.get("A") == 1
    assert loaded == ["one"]
    assert classes.modules_left() == ["two"]


@pytest.mark.parametrize(
    "read",
    [
        lambda classes: dict(classes.items()),
        lambda classes: dict(zip(classes, classes.values(), strict=True)),
        lambda classes: dict(classes),
        lambda classes: {**classes},
        lambda classes: classes.copy(),
        lambda classes: classes | {},
        lambda classes: {} | classes,
        lambda classes: {name: classes[name] for name in ALL},
    ],
)
def test_whoever_reads_all_gets_all(classes: NodeClasses, read: Callable[[NodeClasses], dict[str, Any]]) -> None:
    classes.pop("Gone", None)
    assert read(classes) == ALL


def test_equality_is_that_of_the_whole(classes: NodeClasses) -> None:
    assert classes == ALL


def test_a_class_that_its_module_no_longer_gives_is_gone(classes: NodeClasses) -> None:
    assert classes.get("Gone") is None
    assert "Gone" not in classes
    with pytest.raises(KeyError):
        classes["Gone"]


def test_what_a_pack_sets_beforehand_stays(classes: NodeClasses, loaded: list[str]) -> None:
    classes["A"] = "patched"
    assert loaded == []
    assert classes["B"] == 2
    assert classes["A"] == "patched"


def test_what_a_pack_removes_beforehand_stays_away(classes: NodeClasses) -> None:
    del classes["A"]
    assert classes["B"] == 2
    assert "A" not in classes
    assert classes.pop("C") == 3
    assert "C" not in classes
    with pytest.raises(KeyError):
        classes.pop("C")


def test_setdefault_and_update(classes: NodeClasses) -> None:
    assert classes.setdefault("A", "other") == 1
    assert classes.setdefault("D", 4) == 4
    classes.update({"C": "patched"})
    assert classes["C"] == "patched"


def test_a_class_asked_for_by_its_own_import_is_not_there_yet(classes: NodeClasses) -> None:
    def load(module: str) -> None:
        assert "A" in classes
        assert classes.get("A") is None
        classes["A"] = 1

    classes.load = load
    assert classes["A"] == 1


def test_a_module_imported_by_another_one_s_import_is_there_to_stay(classes: NodeClasses, loaded: list[str]) -> None:
    load = classes.load

    def load_both(module: str) -> None:
        if module == "one":
            assert classes["C"] == 3
        load(module)

    classes.load = load_both
    assert classes["A"] == 1
    assert loaded == ["two", "one"]
    assert classes.modules_left() == []
    assert dict(classes) == ALL


def test_a_class_that_a_later_module_replaces_is_the_later_one_s(classes: NodeClasses) -> None:
    def load(module: str) -> None:
        classes.update({"A": 1, "B": 2, "C": -1} if module == "one" else {"C": 3})

    classes.load = load
    assert classes["A"] == 1
    assert classes["C"] == 3
