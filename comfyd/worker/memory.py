"""Memory of the device as people see it, now and at its peak during a job."""

import time

import comfy.model_management
import psutil
import torch

from comfyd.protocol import Memory

from .questions import peak_allocated

_INTERVAL = 0.1  # seconds; a display redraws no faster


class Meter:
    """Reads used and total bytes: VRAM of the GPU in use, or this process' share of the machine's RAM."""

    def __init__(self) -> None:
        self.device = comfy.model_management.get_torch_device()
        self._process = psutil.Process()
        self._ram_total = psutil.virtual_memory().total
        self._last: Memory | None = None
        self._read_at = 0.0
        self._peaks: dict[int, int] = {}

    def now(self) -> Memory:
        """A fresh reading."""
        if self.device.type == "cuda":
            free, total = torch.cuda.mem_get_info(self.device)
            used = total - free
        else:
            used, total = self._process.memory_info().rss, self._ram_total
            self._raise_peaks(used)
        self._last = Memory(device=str(self.device), used=used, total=total)
        self._read_at = time.monotonic()
        return self._last

    def recent(self) -> Memory:
        """A reading at most a tenth of a second old."""
        if self._last is None or time.monotonic() - self._read_at > _INTERVAL:
            return self.now()
        return self._last

    def begin(self, job: int) -> None:
        """Starts the peak of a job; those of other jobs that run go on."""
        self._read_peak()
        self._peaks[job] = 0
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def peak(self, job: int) -> int:
        """Most bytes in use since the job began: torch's own count on a GPU, the highest reading on a CPU."""
        self._read_peak()
        return self._peaks[job]

    def end(self, job: int) -> None:
        self._peaks.pop(job, None)

    def _read_peak(self) -> None:
        if self.device.type == "cuda":
            self._raise_peaks(peak_allocated(self.device))
        else:
            self._raise_peaks(self.recent().used)

    def _raise_peaks(self, used: int) -> None:
        self._peaks = {job: max(peak, used) for job, peak in self._peaks.items()}
