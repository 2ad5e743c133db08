"""The commands that run: run and the empty line, again, more."""

from collections.abc import Sequence
from typing import Any

from msgspec.structs import replace

from comfyd.errors import ComfydError, ExitStatus, Refused, Unavailable, UsageError
from comfyd.protocol import Accepted, Cancel, Done, HistoryRequest, JobReply, JobRequest, JobsReply, Submit, Watch, resubmitted

from .. import workflows
from ..connection import ANSWER_LIMIT, connected
from ..display import display_for
from ..follow import Outcome, report
from .following import Heard, follow
from .reproduction import command
from .session import Session

_MOST = 1000


def run(session: Session, *, words: Sequence[str], mode: str | None, **options: Any) -> int:
    """Run with the values so far and these; what is refused is not kept."""
    workflows.check(options["output"], json=options["json"], detach=options["detach"], terminal=session.terminal)
    values = session.with_values(words, wait=True)
    submit = workflows.submission(
        session.terminal,
        session.workflow,
        (),
        list(values.items()),
        output=options["output"],
        start=session.start,
        quiet=options["quiet"],
        mode=workflows.mode_of(mode) or session.mode,
    )
    status = perform(session, submit, **options)
    session.values = values
    return status


def again(session: Session, *, job: int | None, words: Sequence[str], mode: str | None, **options: Any) -> int:
    """Run a job once more as it was bound, the last one where none is named; the session's values stay as they are."""
    workflows.check(options["output"], json=options["json"], detach=options["detach"], terminal=session.terminal)
    with connected(session.terminal, start=session.start, quiet=options["quiet"]) as client:
        before = client.call(JobRequest(job=job or session.last_job or _newest(client)), ANSWER_LIMIT)
    assert isinstance(before, JobReply)
    return perform(session, resubmitted(before, words=list(words), mode=workflows.mode_of(mode)), **options)


def _newest(client: Any) -> int:
    reply = client.call(HistoryRequest(limit=1), ANSWER_LIMIT)
    assert isinstance(reply, JobsReply)
    if not reply.jobs:
        raise UsageError("No job has ended yet that could be run again; run the workflow first.")
    return reply.jobs[0].id


def perform(session: Session, submit: Submit, *, output: str | None, json: bool, quiet: bool, detach: bool) -> int:
    """Hand the job in, follow it unless it is left alone, and tell how it is made again."""
    terminal = session.terminal
    display = Heard(lambda: display_for(terminal, json=json, quiet=quiet))
    with connected(terminal, start=session.start, quiet=quiet) as client:
        if detach:
            accepted = workflows.accepted(client, replace(submit, follow=False), display)
            session.left_running.append(accepted.job)
            workflows.tell_accepted(accepted, terminal, json=json)
            return ExitStatus.DONE
        outcome = follow(client, submit, display, terminal, start=session.start)
    return _told(session, outcome, submit, display.overrides, output=output, json=json, quiet=quiet)


def _told(
    session: Session, outcome: Outcome, submit: Submit, overrides: dict[str, Any], *, output: str | None, json: bool, quiet: bool
) -> int:
    """Report the end, remember the files, and print the command that makes the same."""
    status = report(outcome, session.terminal, output=output, json=json, quiet=quiet)
    end = outcome.end
    session.last_job = end.job
    if isinstance(end, Done):
        session.last_files = end.files or session.last_files
        if not json and not quiet:
            _tell_command(session, submit, overrides)
    return status


def _tell_command(session: Session, submit: Submit, overrides: dict[str, Any]) -> None:
    """The one-shot command, where the job is one of the session's workflow."""
    try:
        if submit.workflow != session.document().name:
            return
    except Refused:  # the file is gone meanwhile
        return
    names = dict.fromkeys([*(name for name, _ in submit.overrides), *session.values])
    mode = "" if submit.mode == session.terminal.config.mode else submit.mode
    session.terminal.command(command(session.workflow, overrides, session.index(), names=names, mode=mode))


# ---------------------------------------------------------------- more


def more(session: Session, *, count: int | None, words: Sequence[str], json: bool, quiet: bool, mode: str | None) -> int:
    """Run with other seeds: all are handed in at once, so that the engine may make them together, and followed in turn."""
    terminal = session.terminal
    if (count or 1) > _MOST:
        raise UsageError(f"more takes a number up to {_MOST}, not {count}.")
    values = session.with_values(words, wait=True)
    seeds = _seeds(session)
    submit = workflows.submission(
        terminal,
        session.workflow,
        (),
        [*values.items(), *((name, "random") for name in seeds)],
        start=session.start,
        quiet=quiet,
        mode=workflows.mode_of(mode) or session.mode,
    )
    with connected(terminal, start=session.start, quiet=quiet) as client:
        jobs = _handed_in(session, client, submit, count or 1, json=json, quiet=quiet)
        return _follow_all(session, client, submit, jobs, json=json, quiet=quiet)


def _handed_in(session: Session, client: Any, submit: Submit, count: int, *, json: bool, quiet: bool) -> list[Accepted]:
    """Ctrl-C takes back those that are in the queue by then."""
    jobs: list[Accepted] = []
    try:
        for _ in range(count):
            display = Heard(lambda: display_for(session.terminal, json=json, quiet=quiet))
            jobs.append(workflows.accepted(client, replace(submit, follow=False), display))
    except (KeyboardInterrupt, Refused):
        _cancel(client, jobs, session)
        raise
    return jobs


def _follow_all(session: Session, client: Any, submit: Submit, jobs: Sequence[Accepted], *, json: bool, quiet: bool) -> int:
    """One after the other; Ctrl-C cancels those that are left."""
    terminal = session.terminal
    status: int = ExitStatus.DONE
    left = list(jobs)
    try:
        while left:
            display = Heard(lambda: display_for(terminal, json=json, quiet=quiet))
            outcome = follow(client, Watch(job=left[0].job), display, terminal, start=session.start)
            ended = _told(session, outcome, submit, left.pop(0).overrides, output=None, json=json, quiet=quiet)
            status = status or ended
            if outcome.interrupted:
                raise KeyboardInterrupt
    except KeyboardInterrupt:
        _cancel(client, left, session)
        status = ExitStatus.INTERRUPTED
    return status


def _cancel(client: Any, jobs: Sequence[Accepted], session: Session) -> None:
    for each in jobs:
        try:
            client.call(Cancel(job=each.job), ANSWER_LIMIT)
        except Unavailable:
            raise
        except ComfydError as error:
            session.terminal.failure(error)
    if jobs:
        session.terminal.note(f"cancelled with it: {', '.join(f'job {each.job}' for each in jobs)}", dim=False)


def _seeds(session: Session) -> list[str]:
    """The names of the workflow's seeds; raises UsageError where it has none."""
    found = session.index()
    if found is None:
        return ["seed"]
    from comfyd.workflow.naming.aliases import name_of

    groups = found.names.aliases.targets("seed")
    if not groups:
        raise UsageError(f"{session.workflow} has no seed, so that more of it would be the same; change a value instead.")
    return ["seed"] if len(groups) == 1 else [name_of("seed", number) for number, _ in enumerate(groups, 1)]
