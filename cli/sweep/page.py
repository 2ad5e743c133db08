"""The contact sheet as a page: self-contained but for the pictures, which stand beside it; light and dark."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from urllib.parse import quote

from comfyd.whole import publish

from .files import is_picture
from .grids import Grid
from .points import Point, text

_STYLE = """
:root { color-scheme: light dark; --ink: #202020; --paper: #fff; --faint: #f0f0f0; --line: #d8d8d8 }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #161616; --faint: #232323; --line: #3a3a3a } }
body { margin: 1.5rem; background: var(--paper); color: var(--ink); font: 15px/1.45 system-ui, sans-serif }
h1 { font-size: 1.2rem; margin: 0 0 .2rem } h2 { font-size: 1rem; margin: 1.6rem 0 .4rem }
p, dl { margin: .2rem 0 } dl { display: grid; grid-template-columns: max-content 1fr; gap: 0 .8rem } dd { margin: 0 }
div.scroll { overflow-x: auto } table { border-collapse: collapse; margin-top: .8rem }
th { font-weight: 500; text-align: left; padding: .3rem .6rem; max-width: 18rem; overflow-wrap: anywhere; vertical-align: middle }
thead th { position: sticky; top: 0; background: var(--paper); border-bottom: 1px solid var(--line) }
td { padding: .25rem; vertical-align: top } figure { margin: 0; max-width: 24rem }
img { display: block; max-width: min(24rem, 80vw); height: auto; background: var(--faint);
  outline: 1px solid var(--line) }
figcaption { font-size: .85rem; overflow-wrap: anywhere } .none { color: var(--line) }
"""


def write(
    grids: Sequence[Grid], files: Mapping[str, list[str]], title: str, fixed: Mapping[str, object], told: str, target: Path
) -> None:
    """Write the page; ``files`` are names in its directory by the points' keys. Raises OSError."""
    publish(target, lambda stream: stream.write("\n".join(_page(grids, files, title, fixed, told)).encode("utf-8", "replace")))


def _page(
    grids: Sequence[Grid], files: Mapping[str, list[str]], title: str, fixed: Mapping[str, object], told: str
) -> Iterator[str]:
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    yield f"<title>{escape(title)}</title><style>{_STYLE}</style></head><body>"
    yield f"<h1>{escape(title)}</h1><p>{escape(told)}</p>"
    if fixed:
        yield "<dl>"
        yield from (f"<dt>{escape(name)}</dt><dd>{escape(text(value))}</dd>" for name, value in fixed.items())
        yield "</dl>"
    for grid in grids:
        yield from _table(grid, files)
    yield "</body></html>"


def _table(grid: Grid, files: Mapping[str, list[str]]) -> Iterator[str]:
    if grid.title:
        yield f"<h2>{escape(grid.title)}</h2>"
    yield '<div class="scroll"><table>'
    if grid.columns:
        heads = "".join(f'<th scope="col">{escape(label)}</th>' for label in grid.columns)
        yield f"<thead><tr><td></td>{heads}</tr></thead>"
    for at, row in enumerate(grid.cells):
        side = f'<th scope="row">{escape(grid.rows[at])}</th>' if grid.rows else ""
        yield f"<tr>{side}{''.join(_cell(point, files, grid.captioned) for point in row)}</tr>"
    yield "</table></div>"


def _cell(point: Point | None, files: Mapping[str, list[str]], captioned: bool) -> str:
    if point is None:
        return "<td></td>"
    shown = "".join(_file(name, point) for name in files.get(point.key, [])) or '<span class="none">none</span>'
    caption = f"<figcaption>{escape(point.label)}</figcaption>" if captioned else ""
    return f'<td><figure title="{escape(point.label)}">{shown}{caption}</figure></td>'


def _file(name: str, point: Point) -> str:
    link = quote(name)
    inner = f'<img src="{link}" alt="{escape(point.label)}" loading="lazy">' if is_picture(name) else escape(name)
    return f'<a href="{link}">{inner}</a>'
