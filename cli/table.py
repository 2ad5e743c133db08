"""Rows and columns: cut to the terminal's width where there is one, aligned and whole in pipes."""

from collections.abc import Sequence
from itertools import compress

from .terminal import Terminal
from .text import printable

_GAP = "  "
_NARROWEST = 8
_WIDEST = 60
"""Of a column in a pipe: one cell that is longer moves the rest of its own row only."""


def show(
    terminal: Terminal,
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    numbers: Sequence[str] = (),
    flexible: Sequence[str] = (),
    optional: Sequence[str] = (),
    sparse: Sequence[str] = (),
) -> None:
    """Print the rows on stdout; ``numbers`` are the columns set to the right, ``flexible`` those that give way.

    On a terminal too narrow even then, the ``optional`` columns are left out, the first ones first; the ``sparse`` ones
    everywhere where they say nothing of any row.
    """
    filled = [header not in sparse or any(row[at] for row in rows) for at, header in enumerate(headers)]
    headers, *rows = (list(compress(row, filled)) for row in (headers, *rows))
    flexible, optional = ([header for header in some if header in headers] for some in (flexible, optional))
    width = terminal.columns if terminal.stdout.isatty() else None
    shown = _kept(headers, rows, flexible, optional, width)
    rows = [[cell for header, cell in zip(headers, row, strict=True) if header in shown] for row in rows]
    head, *body = lines(shown, rows, width, numbers=numbers, flexible=flexible)
    terminal.heading(head)
    for line in body:
        terminal.out(line)


def _kept(
    headers: Sequence[str], rows: Sequence[Sequence[str]], flexible: Sequence[str], optional: Sequence[str], width: int | None
) -> list[str]:
    """The headers of the columns that there is room for."""
    columns = zip(headers, zip(*rows, strict=True), strict=True)
    least = {header: max(map(len, (header, *cells))) for header, cells in columns}
    least |= {header: min(least[header], _NARROWEST) for header in flexible}
    for header in optional:
        if width is None or sum(least.values()) + len(_GAP) * (len(least) - 1) <= width:
            break
        del least[header]
    return list(least)


def lines(
    headers: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int | None,
    *,
    numbers: Sequence[str] = (),
    flexible: Sequence[str] = (),
) -> list[str]:
    """The header and the rows as lines of at most ``width`` cells."""
    cells = [list(headers), *([printable(cell) for cell in row] for row in rows)]
    wanted = [max(_wide(row[column]) for row in cells) for column in range(len(headers))]
    if width is None:
        widths = [min(column, _WIDEST) for column in wanted]
    else:
        widths = fitted(wanted, [header in flexible for header in headers], width)
        cells = [[cut(cell, column) for cell, column in zip(row, widths, strict=True)] for row in cells]
    right = [header in numbers for header in headers]
    found = [_GAP.join(_aligned(*cell) for cell in zip(row, widths, right, strict=True)).rstrip() for row in cells]
    return found if width is None else [cut(line, width) for line in found]


def fitted(widths: Sequence[int], flexible: Sequence[bool], width: int) -> list[int]:
    """The widths after the widest flexible columns gave way to what the terminal has."""
    found = list(widths)
    excess = sum(found) + len(_GAP) * (len(found) - 1) - width
    for _ in range(max(0, excess)):
        column = max((column for column, gives in enumerate(flexible) if gives), key=lambda column: found[column])
        if found[column] <= _NARROWEST:
            break
        found[column] -= 1
    return found


def _aligned(text: str, width: int, right: bool) -> str:
    pad = " " * (width - _wide(text))
    return pad + text if right else text + pad


def _wide(text: str) -> int:
    """The terminal's cells that printable text takes."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def cut(text: str, width: int) -> str:
    """Text in at most ``width`` cells, with an ellipsis where it was longer; of a path the end is what is kept."""
    if _wide(text) <= width:
        return text
    if width <= 0:
        return ""
    from rich.cells import set_cell_size

    if text.startswith("/"):
        return "…" + set_cell_size(text[::-1], width - 1)[::-1].lstrip()
    return set_cell_size(text, width - 1).rstrip() + "…"
