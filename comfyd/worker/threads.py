"""Threads that run jobs: kept and used again last in, first out, because torch keeps its worker team per thread."""

import asyncio
import functools
import logging
import queue
import selectors
import threading
from collections.abc import Callable
from typing import Any

import torch

from .job import JobRun, current_job

_Work = Callable[[asyncio.AbstractEventLoop], None]


class JobThread(threading.Thread):
    """One thread with its own event loop, in which ComfyUI's async ``execute`` of one job at a time runs."""

    def __init__(self, idle: "list[JobThread]") -> None:
        super().__init__(name="job", daemon=True)
        self._idle = idle
        self._work: queue.SimpleQueue[tuple[_Work, threading.Event]] = queue.SimpleQueue()

    def begin(self, work: _Work) -> threading.Event:
        """Hands it work; what is returned is set when the thread is idle again."""
        ended = threading.Event()
        self._work.put((work, ended))
        return ended

    def run(self) -> None:
        loop = asyncio.SelectorEventLoop(_BatonSelector())
        asyncio.set_event_loop(loop)
        with torch.inference_mode():
            while True:
                work, ended = self._work.get()
                work(loop)
                del work  # a job refers to all that it has touched, models included
                self._idle.append(self)
                ended.set()


def _run_to_end(job: JobRun, loop: asyncio.AbstractEventLoop) -> None:
    """Runs the job; an async node's SystemExit leaves the loop at once, before the job has seen it, which then goes on."""
    task = loop.create_task(job.execute())
    while not task.done():
        try:
            loop.run_until_complete(task)
        except BaseException:
            logging.exception("comfyd: a node of job %d tried to end the process", job.id)


def _logged(work: Callable[[], None], loop: asyncio.AbstractEventLoop) -> None:
    """Does it, whatever it raises: the thread lives on."""
    try:
        work()
    except Exception:
        logging.exception("comfyd: work in idle time failed")


class JobThreads:
    """As many threads as jobs run at once."""

    def __init__(self) -> None:
        self._idle: list[JobThread] = []
        self._begun: dict[int, threading.Event] = {}

    def start_job(self, job: JobRun) -> None:
        self._begun[job.id] = self._take().begin(functools.partial(_run_to_end, job))

    def leave(self, job_id: int) -> None:
        """Waits until a job that has ended has left its thread, which is a matter of moments, and with it what it referred to."""
        self._begun.pop(job_id).wait()

    def do(self, work: Callable[[], None]) -> None:
        """Does what no job waits for in the thread that the next job gets, and returns when that is idle again."""
        self._take().begin(functools.partial(_logged, work)).wait()

    def _take(self) -> JobThread:
        if self._idle:
            return self._idle.pop()
        thread = JobThread(self._idle)
        thread.start()
        return thread


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
