"""The command again: an earlier job once more, with the same values or with some of them changed."""

from collections.abc import Sequence

from comfyd.protocol import JobReply, JobRequest, resubmitted

from .connection import ANSWER_LIMIT, connected
from .display import display_for
from .follow import report, run_job
from .terminal import Terminal


def again(  # noqa: PLR0913 - the command's own options
    terminal: Terminal,
    *,
    job: int,
    words: Sequence[str],
    output: str | None,
    json: bool,
    quiet: bool,
    detach: bool,
    no_start: bool,
    mode: str | None,
) -> int:
    """Run the job's graph as it was bound; the words win over the values that it had."""
    from .workflows import check, leave, mode_of

    check(output, json=json, detach=detach, terminal=terminal)
    display = display_for(terminal, json=json, quiet=quiet)
    with connected(terminal, start=not no_start, quiet=quiet) as client:
        before = client.call(JobRequest(job=job), ANSWER_LIMIT)
        assert isinstance(before, JobReply)
        submit = resubmitted(before, words=list(words), mode=mode_of(mode), follow=not detach)
        if detach:
            return leave(client, submit, display, terminal, json=json)
        outcome = run_job(client, submit, display, terminal)
    return report(outcome, terminal, output=output, json=json, quiet=quiet)
