"""One turn at a time, in order, each with its own globals."""

import threading

from comfyd.worker.baton import Baton, Turn


class Globals:
    """Process-wide state as two turns would share it."""

    def __init__(self) -> None:
        self.value = 0


class Saved:
    def __init__(self, shared: Globals) -> None:
        self._shared = shared
        self._value: int | None = None

    def save(self) -> None:
        self._value = self._shared.value

    def restore(self) -> None:
        if self._value is not None:
            self._shared.value = self._value


def run(baton: Baton, threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        with baton.changed:
            baton.changed.wait_for(lambda: baton.has_ready() or not any(t.is_alive() for t in threads), timeout=0.05)
        baton.lend_next()


def test_turns_alternate_and_keep_their_globals() -> None:
    baton, shared, order = Baton(), Globals(), []
    mixed = []

    def job(name: str, start: int) -> None:
        turn = Turn(Saved(shared))
        baton.take(turn)
        shared.value = start
        for step in range(20):
            order.append(name)
            mixed.append(shared.value != start + step)
            shared.value += 1
            baton.pass_on(turn)
        baton.give(turn)

    run(baton, [threading.Thread(target=job, args=args) for args in (("a", 100), ("b", 200))])
    assert not any(mixed)
    assert order.count("a") == order.count("b") == 20
    assert "ab" * 5 in "".join(order) or "ba" * 5 in "".join(order)


def test_turn_waits_for_its_condition_while_others_go_on() -> None:
    baton, shared, order = Baton(), Globals(), []
    opened: list[bool] = []

    def waits() -> None:
        turn = Turn(Saved(shared))
        baton.take(turn)
        baton.pass_on(turn, lambda: bool(opened))
        order.append("waited")
        baton.give(turn)

    def opens() -> None:
        turn = Turn(Saved(shared))
        baton.take(turn)
        for _ in range(5):
            order.append("step")
            baton.pass_on(turn)
        opened.append(True)
        baton.give(turn)

    run(baton, [threading.Thread(target=waits), threading.Thread(target=opens)])
    assert order == ["step"] * 5 + ["waited"]


def test_nothing_to_lend() -> None:
    assert Baton().lend_next() is False


def test_who_lends_next_awaits_the_return_of_what_was_entrusted() -> None:
    baton, order = Baton(), []
    shared = Globals()
    first, second = Turn(Saved(shared)), Turn(Saved(shared))
    go_on = threading.Event()

    def job(name: str, turn: Turn) -> None:
        baton.take(turn)
        order.append(name)
        if name == "first":
            go_on.wait(30)
            order.append("returned")
        baton.leave()

    threads = [threading.Thread(target=job, args=args) for args in (("first", first), ("second", second))]
    baton.entrust(first, threads[0].start)
    loop = threading.Thread(target=lambda: (baton.await_return(), baton.lend(second, threads[1].start)))
    loop.start()
    assert baton.holds(first)
    go_on.set()
    for thread in (loop, *threads):
        thread.join(30)
    assert order == ["first", "returned", "second"]
