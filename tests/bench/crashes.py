"""The crash campaign: ``python -m tests.bench.crashes``; kill -9 of the worker and of the daemon at random moments of real jobs.

Each round hands in jobs of the demo workflow, kills one process and waits until all jobs have ended. Then every job must
have ended once, as done, with whole pictures, of which there are no more than it tells of. In further rounds the moment is
the worst one: a picture has its name, and the daemon, which is halted before it is, has not heard of it. Prints the counts;
the exit status is 1 where one of the promises was broken.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import PIL.Image

from comfyd import config
from comfyd.client import Client, listens
from comfyd.demo import checkpoint as demo_checkpoint
from comfyd.engine import locate
from comfyd.errors import ComfydError
from comfyd.protocol import (
    Accepted,
    Done,
    Graph,
    HistoryRequest,
    JobsReply,
    StatusReply,
    StatusRequest,
    Stop,
    Submit,
    WaitReady,
    Watch,
)
from tests.daemon_process import alive, wait_until

from .sides import Work, prepare

_JOBS = 3
_RUNNING = 2
"""Fewer than jobs, so that a kill meets queued ones, too."""
_LATENT, _SAVE = "4", "7"
UNHEARD = " before a picture was heard of"
"""What is added to a process's name for the rounds of the worst moment."""
_RESTARTS = 10_000
_PATIENCE = 120.0  # seconds for a picture


@dataclass(frozen=True)
class Order:
    """What a job is to make."""

    prefix: str
    pictures: int


@dataclass
class Counts:
    """What became of the jobs of all rounds against one kind of process."""

    kills: int = 0
    while_running: int = 0
    """Kills that met a running job; the others met queued ones, or a moment between two."""
    jobs: int = 0
    run_again: int = 0
    lost: int = 0
    """Acknowledged, and never ended as done."""
    doubled: int = 0
    """With other pictures than those that its record tells of."""
    half_written: int = 0
    """Files that no picture can be read from, and what was left in staging folders."""
    next_run_failed: int = 0
    problems: list[str] = field(default_factory=list)

    @property
    def clean(self) -> bool:
        return not (self.lost or self.doubled or self.half_written or self.next_run_failed)


class Campaign:
    """A daemon of its own with the real engine, restarted as often as it is killed."""

    def __init__(self, settings: config.Config, paths: config.Paths, seed: int) -> None:
        self._settings = settings
        self._paths = paths
        self._random = random.Random(seed)
        self._work = Work.demo()
        self._number = 0
        self._output = Path()
        self._span = 0.0

    def begin(self) -> None:
        """Start, and learn how long the jobs of a round take."""
        with self._client() as client:
            status = client.call(WaitReady())
            assert isinstance(status, StatusReply)
            self._output = Path(status.engine.output_dir)
            self._round(client)
            begun = time.monotonic()
            self._round(client)
            self._span = time.monotonic() - begun

    def end(self) -> None:
        with self._client() as client:
            client.call(Stop(now=True))

    def attack(self, what: str, rounds: int, unheard: bool = False) -> Counts:
        """So many rounds in which ``what`` ("worker" or "daemon") is killed, ``unheard``: at the worst moment."""
        counts = Counts()
        for _ in range(rounds):
            with self._client() as client:
                client.call(WaitReady())
                pids = self._pids(client)
                jobs = self._submit(client)
                met = self._kill_unheard(jobs, pids, what) if unheard else self._kill_sometime(client, pids, what)
            counts.while_running += met
            counts.kills += 1
            self._check(jobs, counts)
            print(f"{what} {counts.kills}/{rounds}", end="\r", file=sys.stderr, flush=True)
        return counts

    def _client(self) -> Client:
        return Client(self._settings, self._paths).connect()

    def _round(self, client: Client) -> None:
        for job in self._submit(client):
            client.call(Watch(job=job))

    def _submit(self, client: Client) -> dict[int, Order]:
        """Jobs that share the encoder's result, the seed's or nothing; one makes two pictures."""
        found: dict[int, Order] = {}
        for number in range(_JOBS):
            self._number += 1
            order = Order(f"crash-{self._number:05d}", 2 if number == 1 else 1)
            accepted = client.call(Submit(api=self._graph(order, number), follow=False))
            assert isinstance(accepted, Accepted)
            found[accepted.job] = order
        return found

    def _graph(self, order: Order, number: int) -> Graph:
        graph = self._work.seeded(self._number, steps=4)
        if not number:
            graph[self._work.prompt]["inputs"]["text"] = f"red apple {self._number}"
        graph[_LATENT]["inputs"]["batch_size"] = order.pictures
        graph[_SAVE]["inputs"]["filename_prefix"] = order.prefix
        return graph

    def _pids(self, client: Client) -> dict[str, int]:
        status = client.call(StatusRequest())
        assert isinstance(status, StatusReply)
        return {"daemon": status.pid, "worker": status.engine.pid}

    def _kill_sometime(self, client: Client, pids: dict[str, int], what: str) -> bool:
        """At a random moment; whether a job was running."""
        time.sleep(self._random.uniform(0, self._span))
        status = client.call(StatusRequest())
        assert isinstance(status, StatusReply)
        self._kill(pids, what)
        return bool(status.running)

    def _kill_unheard(self, jobs: dict[int, Order], pids: dict[str, int], what: str) -> bool:
        """Once one of the first jobs, which the worker has, has published a picture that the daemon cannot hear of; whether."""
        os.kill(pids["daemon"], signal.SIGSTOP)
        with contextlib.suppress(AssertionError):  # where jobs fail no picture comes, and their records will tell why
            wait_until(lambda: any(self._pictures(order) for order in jobs.values()), "a picture", _PATIENCE)
        met = any(self._pictures(order) for order in jobs.values())
        self._kill(pids, what)
        if what == "worker":
            os.kill(pids["daemon"], signal.SIGCONT)
        return met

    def _kill(self, pids: dict[str, int], what: str) -> None:
        os.kill(pids[what], signal.SIGKILL)
        wait_until(lambda: not alive(pids[what]) and (what == "worker" or not listens(self._paths)), "its death")

    def _pictures(self, order: Order) -> set[str]:
        return {str(path) for path in self._output.glob(f"{order.prefix}_*")}

    def _check(self, jobs: dict[int, Order], counts: Counts) -> None:
        counts.jobs += len(jobs)
        with self._client() as client:
            ends = {job: client.call(Watch(job=job)) for job in jobs}
            self._check_records(client, jobs, counts)
            for job, end in ends.items():
                self._check_files(jobs[job], end, counts)
            left = [str(path) for path in self._output.rglob("*") if path.is_file() and path.suffix != ".png"]
            counts.half_written += len(left)
            counts.problems += left
            self._check_next(client, counts)

    def _check_records(self, client: Client, jobs: dict[int, Order], counts: Counts) -> None:
        reply = client.call(HistoryRequest(limit=_JOBS * 4))
        assert isinstance(reply, JobsReply)
        for record in reply.jobs:
            if record.id in jobs:
                counts.run_again += record.attempts > 1
                counts.lost += record.state != "done"
                counts.problems += [f"job {record.id}: {record.error}"] * (record.state != "done")
        counts.lost += len(jobs.keys() - {record.id for record in reply.jobs})

    def _check_files(self, order: Order, end: object, counts: Counts) -> None:
        told = set(end.files) if isinstance(end, Done) else set()
        there = self._pictures(order)
        if len(there) != order.pictures or there != told:
            counts.doubled += 1
            counts.problems.append(f"{order.prefix}: told of {sorted(told)}, there are {sorted(there)}")
        for path in there:
            try:
                with PIL.Image.open(path) as picture:
                    picture.load()
            except OSError as error:
                counts.half_written += 1
                counts.problems.append(f"{path}: {error}")

    def _check_next(self, client: Client, counts: Counts) -> None:
        self._number += 1
        try:
            assert isinstance(client.call(Submit(api=self._graph(Order(f"next-{self._number:05d}", 1), 1))), Done)
        except (ComfydError, AssertionError) as error:
            counts.next_run_failed += 1
            counts.problems.append(f"the next run: {error}")


def campaign(comfyui: Path, home: Path, rounds: dict[str, int], seed: int, engine_args: list[str]) -> dict[str, Counts]:
    """The counts by what was killed, "worker" or "daemon", or one of them with UNHEARD.

    ``home`` is a COMFYD_HOME that may hold a demo checkpoint.
    """
    paths = config.paths({"COMFYD_HOME": str(home)})
    settings = config.Config(
        comfyui=str(comfyui),
        engine_args=engine_args,
        max_running=_RUNNING,
        worker_restarts=_RESTARTS,
        attempts=10,
        auto_install=False,
    )
    fight = Campaign(settings, paths, seed)
    fight.begin()
    try:
        return {what: fight.attack(what.removesuffix(UNHEARD), count, UNHEARD in what) for what, count in rounds.items()}
    finally:
        fight.end()


def main() -> None:
    """Runs it in a home of its own and prints the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.crashes", description=__doc__)
    parser.add_argument("--comfyui", type=Path, help="ComfyUI tree to use instead of the managed one")
    parser.add_argument("--worker", type=int, default=100, help="kills of the worker")
    parser.add_argument("--daemon", type=int, default=100, help="kills of the daemon")
    parser.add_argument("--unheard", type=int, default=10, help="further kills of each at the worst moment")
    parser.add_argument("--seed", type=int, default=1, help="of the random moments")
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cc-") as folder:
        paths, engine = prepare(Path(folder), options.comfyui)
        demo_checkpoint.write(paths.data / "demo" / demo_checkpoint.NAME)
        arguments = [*locate(config.load(paths), paths).args, "--disable-api-nodes", "--disable-all-custom-nodes"]
        if options.comfyui is not None:
            arguments += ["--base-directory", str(Path(folder) / "base")]
            (Path(folder) / "base" / "custom_nodes").mkdir(parents=True)
        rounds = {"worker": options.worker, "daemon": options.daemon}
        rounds |= {what + UNHEARD: options.unheard for what in rounds}
        found = campaign(engine, Path(folder) / "home", rounds, options.seed, arguments)
    print(table(found))
    if options.json:
        options.json.write_text(json.dumps({what: asdict(counts) for what, counts in found.items()}, indent=1))
    sys.exit(not all(counts.clean for counts in found.values()))


def table(found: dict[str, Counts]) -> str:
    """The counts as Markdown."""
    heads = ("killed", "kills", "met a running job", "jobs", "run again", "lost", "doubled", "half-written", "next run failed")
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    for what, counts in found.items():
        cells = list(asdict(counts).values())[:-1]
        lines.append("| " + " | ".join(map(str, [what, *cells])) + " |")
    return "\n".join([*lines, *(problem for counts in found.values() for problem in counts.problems)])


if __name__ == "__main__":
    main()
