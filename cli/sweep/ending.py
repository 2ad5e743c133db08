"""How a sweep ends: the contact sheet, the page, the last line and the exit status."""

from pathlib import Path

from comfyd.errors import ExitStatus, NotDelivered

from ..terminal import Terminal
from ..text import count
from .files import is_picture
from .grids import Grid, grids
from .preparing import Asked, Prepared
from .record import Sweep, SweepJob
from .shown import summed

_DRAWN = 2000
"""Pictures up to which a contact sheet is drawn: beyond, each would be too small."""


def told(
    terminal: Terminal, prepared: Prepared, records: dict[int, SweepJob], asked: Asked, seconds: float, *, interrupted: bool
) -> int:
    """The sheet, the page, the last line, and the exit status."""
    states = [record.state for record in records.values()]
    done, cancelled, waiting = states.count("done"), states.count("cancelled"), states.count("queued")
    failed = states.count("failed") + states.count("refused")
    resumed = sum(record.resumed for record in records.values())
    sentence = summed(done, len(prepared.points), resumed, failed, cancelled, seconds)
    sheet: Path | None = None
    page: Path | None = None
    if done and not interrupted and not waiting:
        sheet, page = _sheets(terminal, prepared, records, asked)
    if asked.json:
        terminal.json(
            Sweep(
                total=len(prepared.points),
                done=done,
                failed=failed,
                cancelled=cancelled,
                resumed=resumed,
                seconds=round(seconds, 3),
                directory=str(prepared.directory),
                sheet=None if sheet is None else str(sheet),
                page=None if page is None else str(page),
            )
        )
    elif waiting:
        jobs = [record.job for record in records.values() if record.state == "queued"]
        terminal.out(" ".join(map(str, jobs)) if asked.quiet else f"jobs {min(jobs)} to {max(jobs)}")
        if not asked.quiet:
            terminal.note(f"the same command without --detach collects them in {prepared.directory}")
    elif not asked.quiet:
        terminal.success(f"{sentence} · {prepared.directory}")
        for file in filter(None, (sheet, page)):
            terminal.foreign(str(file))
    if interrupted:
        terminal.note("the same command goes on where this one ended", dim=False)
        return ExitStatus.INTERRUPTED
    return ExitStatus.FAILED if failed or cancelled else ExitStatus.DONE


def _made(points: int, records: dict[int, SweepJob]) -> str:
    done = sum(record.state == "done" for record in records.values())
    return f"{done} of {points} combinations" if done < points else count(done, "combination")


def _sheets(
    terminal: Terminal, prepared: Prepared, records: dict[int, SweepJob], asked: Asked
) -> tuple[Path | None, Path | None]:
    files = {
        point.key: [Path(file).name for file in records[point.number].files]
        for point in prepared.points
        if point.number in records
    }
    blocks = grids(prepared.points, paired=asked.zip)
    page = None
    try:
        sheet_at, page_at = prepared.manifest.sheets(point.key for point in prepared.points)
        sheet = _drawn_sheet(terminal, prepared, blocks, files, sheet_at)
        if asked.html:
            from .page import write

            page = page_at
            write(blocks, files, f"{prepared.given.name} sweep", prepared.fixed, _made(len(prepared.points), records), page)
    except OSError as error:
        where = f"{prepared.directory} cannot be written ({error.strerror})"
        raise NotDelivered(f"{where}; the pictures are there, and the same sweep again draws the sheet.") from error
    return sheet, page


def _drawn_sheet(
    terminal: Terminal, prepared: Prepared, blocks: list[Grid], files: dict[str, list[str]], target: Path
) -> Path | None:
    """The contact sheet, where there is a picture for it."""
    pictures = {key: prepared.directory / name for key, all_ in files.items() for name in all_[:1] if is_picture(name)}
    if not pictures:
        return None
    if len(prepared.points) > _DRAWN:
        terminal.note(f"no contact sheet: {len(prepared.points):,} pictures are too many for one")
        return None
    try:
        from .sheet import draw
    except ImportError:
        terminal.note("no contact sheet: Pillow is not installed here (pip install pillow)")
        return None
    draw(blocks, pictures, target)
    return target
