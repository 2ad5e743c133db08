"""Limits of what graphs may hold, and what goes first."""

from comfyd.worker.graphs.key import Key
from comfyd.worker.graphs.ledger import Ledger, Step

from .fake import FakeGraph


def key(number: int, owner: int = 1, epoch: int = 1, others: tuple[int, ...] = ()) -> Key:
    return Key(owner, epoch, others, "Model", number, (), ((), ()))


def graph(size: int = 100) -> FakeGraph:
    return FakeGraph(lambda tensors: tensors, size)


def test_more_graphs_than_allowed_close_the_longest_unused() -> None:
    ledger = Ledger(limit=10_000, count=2)
    graphs = [graph() for _ in range(3)]
    for number in (0, 1):
        ledger.captured(key(number), graphs[number])
    ledger.look_up(key(0))
    ledger.captured(key(2), graphs[2])
    assert [one.closed for one in graphs] == [False, True, False]


def test_more_bytes_than_allowed_empty_the_pool_and_the_next_capture_starts_it_anew() -> None:
    ledger = Ledger(limit=250)
    graphs = [graph() for _ in range(3)]
    for number, one in enumerate(graphs):
        ledger.captured(key(number), one)
    assert all(one.closed for one in graphs)
    entry = ledger.look_up(key(2))
    assert entry is not None
    assert entry.step is Step.CAPTURE
    assert ledger.size == 0


def test_two_graphs_that_do_not_fit_together_do_not_drive_each_other_out_for_ever() -> None:
    ledger = Ledger(limit=150)
    for _ in range(8):
        for number in (0, 1):
            entry = ledger.look_up(key(number))
            if entry is not None and entry.step is Step.CAPTURE:
                ledger.captured(key(number), graph())
    assert {entry.step for _, entry in ledger} == {Step.EAGER, Step.TRIAL}


def test_a_graph_larger_than_the_limit_is_refused() -> None:
    ledger = Ledger(limit=50 << 20)
    one = graph(60 << 20)
    ledger.captured(key(0), one)
    entry = ledger.look_up(key(0))
    assert entry is not None
    assert one.closed
    assert (entry.step, entry.reason) == (Step.EAGER, "graphs would take more than 50 MiB")


def test_the_pool_counts_graphs_that_have_gone_until_all_have() -> None:
    ledger = Ledger(limit=1000, count=1)
    for number in (0, 1):
        ledger.captured(key(number), graph())
    assert ledger.size == 200
    ledger.forget(1)
    assert ledger.size == 0


def test_what_a_graph_depends_on_besides_its_owner_takes_it_along() -> None:
    ledger = Ledger(limit=1000)
    one, other = graph(), graph()
    ledger.captured(key(0, others=(7,)), one)
    ledger.captured(key(1, others=(8,)), other)
    ledger.forget(7)
    assert (one.closed, other.closed) == (True, False)


def test_clearing_keeps_what_is_refused() -> None:
    ledger = Ledger(limit=1000)
    ledger.captured(key(0), graph())
    ledger.refuse(key(1), "it draws random numbers")
    ledger.clear()
    assert [(one.structure, entry.reason) for one, entry in ledger] == [(1, "it draws random numbers")]


def test_keys_without_a_graph_do_not_pile_up() -> None:
    ledger = Ledger(limit=1000)
    for number in range(3000):
        ledger.look_up(key(number))
    assert len(list(ledger)) <= 1001


def test_an_owner_whose_weights_moved_starts_anew_and_leaves_others_alone() -> None:
    ledger = Ledger(limit=1000)
    mine, others = graph(), graph()
    ledger.look_up(key(0, owner=1, epoch=1))
    ledger.look_up(key(0, owner=2, epoch=1))
    ledger.captured(key(0, owner=1, epoch=1), mine)
    ledger.captured(key(0, owner=2, epoch=1), others)
    assert ledger.look_up(key(0, owner=1, epoch=5)) is None
    assert (mine.closed, others.closed) == (True, False)
