"""The commands on jobs: watch, cancel, list, run again."""

from ..spec import Argument, Command, Option
from .shared import JSON, JSON_REPLY, NO_START, PARAMETERS, PICTURES, PREVIEWS, RUN_OPTIONS, START

_JOB = Argument(name="job", kind="job", metavar="JOB", help="the job's number, as queue and history show it")
_COUNT = Option(name="count", flags=("-n", "--count"), metavar="N", kind="number", default=20, help="how many")

COMMANDS = (
    Command(
        name="watch",
        group="Jobs",
        handler="jobs:watch",
        summary="Follow a job from any terminal; Ctrl-C only leaves.",
        arguments=(_JOB,),
        options=(JSON, *PREVIEWS, NO_START),
        environment=(*START, *PICTURES),
    ),
    Command(
        name="cancel",
        group="Jobs",
        handler="jobs:cancel",
        summary="Cancel queued or running jobs.",
        arguments=(Argument(name="jobs", kind="job", metavar="JOB", many=True, help=_JOB.help),),
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="queue",
        group="Jobs",
        handler="jobs:queue",
        summary="List running and queued jobs.",
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="history",
        group="Jobs",
        handler="jobs:history",
        summary="List ended jobs, newest first.",
        options=(
            _COUNT,
            Option(name="workflow", flags=("-w", "--workflow"), metavar="NAME", help="only jobs of this workflow"),
            Option(name="failed", flags=("--failed",), help="only jobs that failed"),
            Option(name="since", flags=("--since",), metavar="TIME", help="only jobs that ended since: 30m, 2h, 1d, 2026-11-23"),
            JSON_REPLY,
            NO_START,
        ),
        environment=START,
        examples=("comfyd history --workflow demo --failed --since 2h",),
    ),
    Command(
        name="again",
        group="Jobs",
        handler="again:again",
        where="shell",
        summary="Run an earlier job once more, with the same values or with some of them changed.",
        arguments=(_JOB, PARAMETERS),
        options=(*RUN_OPTIONS, NO_START),
        environment=(*START, *PICTURES),
        examples=("comfyd again 12", "comfyd again 12 seed random"),
    ),
)
