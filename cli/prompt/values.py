"""The commands on values: set, unset, reset, show, diff."""

from collections.abc import Mapping, Sequence
from typing import Any

from comfyd.errors import AmbiguousParameter, ExitStatus, InvalidValue, Refused, UnknownParameter, UsageError
from comfyd.workflow.wording import shown

from ..text import printable
from ..uploads import name_files
from .session import Session


def set_(session: Session, *, words: Sequence[str]) -> int:
    """Keep values; what the newest catalogue shows to be wrong is refused."""
    values = session.with_values(words)
    _check(session, values)
    session.values = values
    return ExitStatus.DONE


def _check(session: Session, values: Mapping[str, str]) -> None:
    found = session.index()
    if found is None:
        return
    from comfyd.workflow import bind

    judged = [(name, value) for name, value in values.items() if not name_files([value])]
    try:
        bind(found.graph, judged, found.catalogue, aliases=found.own)
    except (UnknownParameter, AmbiguousParameter, InvalidValue):
        raise
    except Refused:
        return  # the rest of the graph, which the daemon judges by what it knows when it runs


def unset(session: Session, *, names: Sequence[str]) -> int:
    """Forget these values, by whatever name they were set."""
    for name in names:
        if not session.meant([name]) & session.meant(session.values):
            set_so_far = f"; set are {', '.join(session.values)}." if session.values else "; nothing is."
            raise UsageError(f"{shown(name)} is not set{set_so_far}")
    session.values = session.without(names)
    return ExitStatus.DONE


def reset(session: Session, *, names: Sequence[str]) -> int:
    """Forget these values, or all."""
    if names:
        return unset(session, names=names)
    session.values = {}
    return ExitStatus.DONE


def show(session: Session, *, json: bool) -> int:
    """Show the parameters, or only what was set where no catalogue is there yet."""
    from ..parameters import show as show_parameters

    found = session.index()
    if found is not None:
        show_parameters(found.parameters, session.terminal, json=json, kept=by_address(session))
        return ExitStatus.DONE
    if json:
        session.wait_for_index()  # raises why there is none
        return show(session, json=json)
    session.terminal.note("The engine has not told its parameters yet; set so far:")
    for name, value in session.values.items():
        session.terminal.out(f"{name} {printable(value)}")
    return ExitStatus.DONE


def diff(session: Session, *, json: bool) -> int:
    """Show what was set beside the workflow's own values."""
    rows = changes(session)
    if json:
        session.terminal.json({"type": "Changes", "changes": rows})
    elif not rows:
        session.terminal.note("Nothing differs from the workflow's own values.")
    else:
        from ..table import show as show_table

        cells = [[row["name"], _text(row["workflow"]), _text(row["now"])] for row in rows]
        show_table(session.terminal, ("NAME", "WORKFLOW", "NOW"), cells, flexible=("WORKFLOW", "NOW"))
    return ExitStatus.DONE


def changes(session: Session) -> list[dict[str, Any]]:
    """The values set that are not the workflow's own: ``name``, ``address``, ``workflow``, ``now``."""
    found = session.index()
    if found is None:
        return [{"name": name, "address": "", "workflow": None, "now": value} for name, value in session.values.items()]
    rows = []
    for name, value in session.values.items():
        parameter = found.parameter(name)
        now = _typed(found, name, value)
        if parameter is None or parameter.value != now:
            address, own = (parameter.address, parameter.value) if parameter else ("", None)
            rows.append({"name": name, "address": address, "workflow": own, "now": now})
    return rows


def by_address(session: Session) -> dict[str, str]:
    """What was set, by the address of every input that it sets."""
    return {
        ".".join(address) if isinstance(address, tuple) else str(address): value
        for name, value in session.values.items()
        for address in session.meant([name])
    }


def _typed(index: Any, name: str, text: str) -> Any:
    """The value that a text is for this name; the text where only a run can tell."""
    from comfyd.workflow.values.constants import Rejected
    from comfyd.workflow.values.reading import read

    spec = index.spec(name)
    try:
        return read(spec, text) if spec is not None else text
    except Rejected:
        return text


def _text(value: Any) -> str:
    from .naming import written

    return printable(value if isinstance(value, str) else written(value))
