"""Leases are shared by equals and exclude others."""

from comfyd.worker.leases import Leases


def test_same_holder_shares_and_other_waits() -> None:
    leases = Leases()
    with leases.hold({1: "patcher a"}):
        assert leases.free({1: "patcher a"})
        assert not leases.free({1: "patcher b"})
        assert leases.free({2: "patcher b"})
        with leases.hold({1: "patcher a"}):
            assert not leases.free({1: "patcher b"})
        assert not leases.free({1: "patcher b"})
    assert leases.free({1: "patcher b"})


def test_all_or_nothing() -> None:
    leases = Leases()
    with leases.hold({1: "job 1", 2: "job 1"}):
        assert not leases.free({2: "job 2", 3: "job 2"})


def test_let_go_when_the_sampler_raises() -> None:
    leases = Leases()
    try:
        with leases.hold({1: "a"}):
            raise ValueError
    except ValueError:
        pass
    assert leases.free({1: "b"})
