"""Calls that were made once, with what they were given: what idle time may capture; pure."""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any

import torch

from .key import Key


@dataclass(eq=False)
class Seen:
    """One call; it keeps no model in memory."""

    key: Key
    structure: Hashable
    tensors: list[torch.Tensor]
    """Its inputs, as copies of their own."""
    again: Callable[[], Callable[[Any], Any] | None]
    """See Call."""
    mode: str
    compiled: bool

    @property
    def size(self) -> int:
        """Bytes of its inputs."""
        return size_of(self.tensors)


class SeenCalls:
    """The latest of them, within a number of bytes, wherever these are, and of calls."""

    def __init__(self, limit: int = 128 << 20, count: int = 16) -> None:
        self._limit = limit
        self._count = count
        self._calls: OrderedDict[Key, Seen] = OrderedDict()

    def __len__(self) -> int:
        return len(self._calls)

    def takes(self, tensors: list[torch.Tensor]) -> bool:
        """Whether inputs like these can be kept at all."""
        return size_of(tensors) <= self._limit

    def add(self, seen: Seen) -> None:
        """Keeps it; the oldest go where there are too many."""
        self._calls[seen.key] = seen
        while len(self._calls) > self._count or sum(call.size for call in self._calls.values()) > self._limit:
            self._calls.popitem(last=False)

    def first(self) -> Seen | None:
        """The oldest."""
        return next(iter(self._calls.values()), None)

    def drop(self, key: Key) -> None:
        self._calls.pop(key, None)

    def forget(self, owner: int) -> None:
        """Drops what depends on an owner."""
        for key in [key for key in self._calls if key.owner == owner or owner in key.others]:
            del self._calls[key]

    def clear(self) -> None:
        self._calls.clear()


def size_of(tensors: list[torch.Tensor]) -> int:
    """Bytes of these."""
    return sum(tensor.nbytes for tensor in tensors)
