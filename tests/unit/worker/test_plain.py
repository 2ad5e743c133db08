"""What nodes show reaches the client, whatever it is made of."""

import msgspec
from hypothesis import given
from hypothesis import strategies as some

from comfyd.worker.plain import plain

ANYTHING = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.binary() | some.just(object),
    lambda inner: some.lists(inner) | some.dictionaries(some.integers() | some.text(), inner) | some.tuples(inner, inner),
)


@given(ANYTHING)
def test_everything_can_be_encoded(value: object) -> None:
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(plain(value))) is not ...


def test_plain_values_are_themselves() -> None:
    value = {"images": [{"filename": "a é.png", "subfolder": "", "n": 2**64 - 1, "x": 1.5}], "animated": [True, None]}
    assert plain(value) == value


def test_the_rest_becomes_the_nearest() -> None:
    assert plain({1: (1, {2}), "huge": 2**70, "hopeless": 10**400}) == {"1": [1, [2]], "huge": 2.0**70, "hopeless": str(10**400)}
    assert plain("\udc80") == "?"
