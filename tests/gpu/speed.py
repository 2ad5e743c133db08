"""Times of one checkpoint's picture by seed on this GPU, and what ``ps`` says of graphs: ``python -m tests.gpu.speed``."""

import os
import statistics
import tempfile
from pathlib import Path
from typing import Any

from comfyd.protocol import Done, NodeDone, PsRequest, WaitReady, Watch
from tests.bench.sides import Work
from tests.daemon_process import DaemonProcess, detach

_SAMPLES = 8


def main() -> None:
    """Prints the time of the job, the sampler and the decoder for each seed, for the named checkpoints."""
    process = DaemonProcess(Path(tempfile.mkdtemp(prefix="comfyd-", dir="/tmp")))
    process.start(comfyui=os.environ["GPU_COMFYUI"], engine_args=["--disable-api-nodes"])
    with process.client() as client:
        client.call(WaitReady())
        for name, size in (("GPU_CHECKPOINT", 512), ("GPU_CHECKPOINT_XL", 1024)):
            if checkpoint := os.environ.get(name):
                _measure(client, Work.checkpoint(checkpoint, size, 20), f"{checkpoint} {size}x{size}")
        for resident in client.call(PsRequest()).residents:  # type: ignore[union-attr]
            print(resident.name, resident.kind, f"{resident.size >> 20} MiB", resident.note)
    process.end()


def _measure(client: Any, work: Work, what: str) -> None:
    for steps in (20, 1):
        times = [_times(client, work.seeded(100 + seed, steps=steps)) for seed in range(_SAMPLES)]
        for number, line in enumerate(times[:4]):
            print(what, f"{steps} steps, run {number + 1}:", _told(line))
        warm = {name: statistics.median(line[name] for line in times[3:]) for name in times[-1]}
        print(what, f"{steps} steps, median of the last {len(times[3:])}:", _told(warm), flush=True)


def _times(client: Any, graph: Any) -> dict[str, float]:
    times: dict[str, float] = {}
    for message in client.stream(Watch(job=detach(client, graph))):
        if isinstance(message, NodeDone):
            times[message.class_type] = message.seconds
        if isinstance(message, Done):
            times["job"] = message.seconds
    return times


def _told(times: dict[str, float]) -> str:
    return ", ".join(f"{name} {seconds * 1000:.0f} ms" for name, seconds in times.items())


if __name__ == "__main__":
    main()
