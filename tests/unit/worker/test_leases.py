"""Leases are shared by equals and exclude others."""

from comfyd.worker.leases import Leases


def test_same_holder_shares_and_other_waits() -> None:
    leases = Leases()
    with leases.hold({1: "patcher a"}, 1):
        assert leases.free({1: "patcher a"}, 2)
        assert not leases.free({1: "patcher b"}, 2)
        assert leases.free({2: "patcher b"}, 2)
        with leases.hold({1: "patcher a"}, 1):
            assert not leases.free({1: "patcher b"}, 2)
        assert not leases.free({1: "patcher b"}, 2)
    assert leases.free({1: "patcher b"}, 2)


def test_all_or_nothing() -> None:
    leases = Leases()
    with leases.hold({1: "job 1", 2: "job 1"}, 1):
        assert not leases.free({2: "job 2", 3: "job 2"}, 2)


def test_let_go_when_the_sampler_raises() -> None:
    leases = Leases()
    try:
        with leases.hold({1: "a"}, 1):
            raise ValueError
    except ValueError:
        pass
    assert leases.free({1: "b"}, 2)


def test_a_job_does_not_wait_for_itself() -> None:
    leases = Leases()
    with leases.hold({1: "patcher a"}, 1):
        assert leases.free({1: "patcher b"}, 1)
        with leases.hold({1: "patcher b"}, 1):
            assert not leases.free({1: "patcher b"}, 2)
        assert leases.holds(1, 1)
        assert not leases.holds(1, 2)
        with leases.hold({1: "patcher a"}, 2):
            assert not leases.free({1: "patcher b"}, 1)
    assert not leases.holds(1, 1)
