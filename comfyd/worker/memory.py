"""Memory of the device as people see it, now and at its peak during a job."""

import time

import comfy.model_management
import psutil
import torch

from comfyd.protocol import Memory

_INTERVAL = 0.1  # seconds; a display redraws no faster


class Meter:
    """Reads used and total bytes: VRAM of the GPU in use, or this process' share of the machine's RAM."""

    def __init__(self) -> None:
        self.device = comfy.model_management.get_torch_device()
        self._process = psutil.Process()
        self._ram_total = psutil.virtual_memory().total
        self._last: Memory | None = None
        self._read_at = 0.0
        self._peak = 0

    def now(self) -> Memory:
        """A fresh reading."""
        if self.device.type == "cuda":
            free, total = torch.cuda.mem_get_info(self.device)
            used = total - free
        else:
            used, total = self._process.memory_info().rss, self._ram_total
        self._last = Memory(device=str(self.device), used=used, total=total)
        self._read_at = time.monotonic()
        self._peak = max(self._peak, used)
        return self._last

    def recent(self) -> Memory:
        """A reading at most a tenth of a second old."""
        if self._last is None or time.monotonic() - self._read_at > _INTERVAL:
            return self.now()
        return self._last

    def begin(self) -> None:
        """Starts a new peak."""
        self._peak = 0
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self) -> int:
        """Most bytes in use since ``begin``: torch's own count on a GPU, the highest reading on a CPU."""
        if self.device.type == "cuda":
            return int(torch.cuda.max_memory_allocated(self.device))
        return max(self._peak, self.now().used)
