"""Threads that run jobs: kept and used again last in, first out, because torch keeps its worker team per thread."""

import asyncio
import logging
import queue
import selectors
import threading
from typing import Any

import torch

from .job import JobRun, current_job


class JobThread(threading.Thread):
    """One thread with its own event loop, in which ComfyUI's async ``execute`` of one job at a time runs."""

    def __init__(self, idle: "list[JobThread]") -> None:
        super().__init__(name="job", daemon=True)
        self._idle = idle
        self._work: queue.SimpleQueue[JobRun] = queue.SimpleQueue()

    def start_job(self, job: JobRun) -> None:
        self._work.put(job)

    def run(self) -> None:
        loop = asyncio.SelectorEventLoop(_BatonSelector())
        asyncio.set_event_loop(loop)
        with torch.inference_mode():
            while True:
                _run_to_end(loop, self._work.get())
                self._idle.append(self)


def _run_to_end(loop: asyncio.AbstractEventLoop, job: JobRun) -> None:
    """Runs the job; an async node's SystemExit leaves the loop at once, before the job has seen it, which then goes on."""
    task = loop.create_task(job.execute())
    while not task.done():
        try:
            loop.run_until_complete(task)
        except BaseException:
            logging.exception("comfyd: a node of job %d tried to end the process", job.id)


class JobThreads:
    """As many threads as jobs run at once."""

    def __init__(self) -> None:
        self._idle: list[JobThread] = []

    def start_job(self, job: JobRun) -> None:
        if self._idle:
            self._idle.pop().start_job(job)
            return
        thread = JobThread(self._idle)
        thread.start()
        thread.start_job(job)


class _BatonSelector(selectors.DefaultSelector):
    """A selector that lets go of the baton while it waits, so that a node's I/O or sleep stalls no other job."""

    def select(self, timeout: float | None = None) -> list[tuple[Any, int]]:
        job = current_job()
        if job is None or timeout == 0 or not job.holds_baton():
            return super().select(timeout)
        job.release()
        try:
            return super().select(timeout)
        finally:
            job.acquire()
