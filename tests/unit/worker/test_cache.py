"""The store keeps what is worth most within its budgets."""

from typing import Any

from comfyd.worker.cache import Budget, Entry, Store


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def entry(name: str, seconds: float = 1.0, **fields: Any) -> Entry:
    return Entry(key=name.encode(), value=name, class_type="Test", seconds=seconds, **fields)


def names(entries: Any) -> list[str]:
    return [e.value for e in entries]


def make(ram: int = 100, vram: int = 100, models: int = 100) -> tuple[Store, Clock]:
    clock = Clock()
    return Store(Budget(ram=ram, vram=vram, models=models), clock), clock


def test_keeps_everything_within_budget() -> None:
    store, _ = make()
    store.put(entry("a", ram=60))
    store.put(entry("b", ram=40, vram=100))
    assert store.evict() == []
    assert store.get(b"a") is not None


def test_cheap_results_go_before_dear_ones() -> None:
    store, clock = make(ram=100)
    store.put(entry("dear", seconds=9.0, ram=60))
    store.put(entry("cheap", seconds=0.1, ram=60))
    clock.now = 5.0
    assert names(store.evict()) == ["cheap"]


def test_big_results_go_before_small_ones_and_old_before_new() -> None:
    store, clock = make(ram=100)
    store.put(entry("big", ram=90))
    store.put(entry("small", ram=10))
    clock.now = 1.0
    store.put(entry("new", ram=10))
    clock.now = 2.0
    assert names(store.evict()) == ["big"]
    store, clock = make(ram=100)
    store.put(entry("old", ram=60))
    clock.now = 50.0
    store.put(entry("young", ram=60))
    clock.now = 51.0
    assert names(store.evict()) == ["old"]


def test_use_makes_young_again() -> None:
    store, clock = make(ram=100)
    store.put(entry("a", ram=60))
    clock.now = 1.0
    store.put(entry("b", ram=60))
    clock.now = 100.0
    store.get(b"a")
    clock.now = 101.0
    assert names(store.evict()) == ["b"]


def test_what_running_jobs_hold_is_not_evicted() -> None:
    store, _ = make(ram=10)
    store.put(entry("held", ram=60))
    assert store.evict(keep={b"held"}) == []
    assert names(store.evict()) == ["held"]


def test_clones_of_one_model_count_once() -> None:
    store, _ = make(models=100)
    store.put(entry("loader", models={1: 80}))
    store.put(entry("with lora", models={1: 80}))
    assert store.used("models") == 80
    assert store.evict() == []
    store.put(entry("other", models={2: 50}))
    assert store.evict() != []


def test_results_that_weigh_nothing_are_bounded_in_number() -> None:
    clock = Clock()
    store = Store(Budget(ram=100, vram=100, models=100, count=3), clock)
    for number in range(6):
        clock.now += 1.0
        store.put(entry(f"text {number}"))
    clock.now += 1.0
    assert names(store.evict()) == ["text 0", "text 1", "text 2"]
    assert names(store) == ["text 3", "text 4", "text 5"]


def test_totals_follow_what_is_put_replaced_and_dropped() -> None:
    store, _ = make()
    store.put(entry("a", ram=5, models={1: 80}))
    store.put(entry("a", ram=7, models={1: 80}))
    store.put(entry("b", vram=3, models={1: 80, 2: 1}))
    assert [store.used(kind) for kind in ("ram", "vram", "models", "count")] == [7, 3, 81, 2]
    store.drop(b"b")
    store.drop(b"b")
    assert [store.used(kind) for kind in ("ram", "vram", "models", "count")] == [7, 0, 80, 1]


def test_changed_file_supersedes_what_was_made_from_it() -> None:
    store, _ = make()
    store.put(entry("before", files={"m.safetensors": ("/m.safetensors", 5, 1)}))
    store.put(entry("elsewhere", files={"m.safetensors": ("/other/m.safetensors", 5, 1)}))
    assert names(store.put(entry("after", files={"m.safetensors": ("/m.safetensors", 5, 2)}))) == ["before"]
    assert store.get(b"before") is None
    assert store.get(b"elsewhere") is not None


def test_a_result_that_has_moved_counts_where_it_lies() -> None:
    store, _ = make(ram=100, vram=100)
    moved = entry("picture", vram=120)
    store.put(moved)
    assert store.exceeds("vram")
    store.weigh(moved, ram=60, vram=0)
    assert not store.exceeds("vram")
    assert (store.used("ram"), store.used("vram")) == (60, 0)
    store.drop(moved.key)
    assert store.used("ram") == 0
