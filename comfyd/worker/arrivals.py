"""Bytes on their way from the device: a thread waits for them, so that nothing else has to."""

import logging
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

import torch

Receive = Callable[[bytes], object]
_UNDER_WAY = 2


class Arrivals:
    """Takes tensors of up to ``size`` bytes; one that comes while earlier ones are still under way is dropped."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._free: SimpleQueue[torch.Tensor] = SimpleQueue()
        self._coming: SimpleQueue[tuple[torch.cuda.Event, torch.Tensor, torch.Tensor, Receive]] = SimpleQueue()
        self._started = False

    def send(self, values: torch.Tensor, receive: Receive) -> None:
        """Begins to copy bytes from a GPU; ``receive`` gets them in another thread. Waits for nothing."""
        self._start()
        try:
            slot = self._free.get_nowait()
        except Empty:
            return
        host = slot[: values.numel()]
        host.copy_(values.reshape(-1), non_blocking=True)
        arrived = torch.cuda.Event(blocking=True)
        arrived.record(torch.cuda.current_stream(values.device))
        self._coming.put((arrived, slot, host, receive))

    def _start(self) -> None:
        """With the first one, because pinned memory is not for those who never look."""
        if not self._started:
            self._started = True
            for _ in range(_UNDER_WAY):
                self._free.put(torch.empty(self._size, dtype=torch.uint8, pin_memory=True))
            threading.Thread(target=self._deliver, name="previews", daemon=True).start()

    def _deliver(self) -> None:
        while True:
            arrived, slot, host, receive = self._coming.get()
            try:
                arrived.synchronize()
                receive(host.numpy().tobytes())
            except RuntimeError as error:  # of the device, which the job learns by itself
                logging.warning("comfyd: a preview was lost: %s", error)
            self._free.put(slot)
