"""iTerm2's inline images: the terminal takes a file of any format and scales it to cells."""

from .pixels import text
from .room import Cells


def encoded(file: bytes, cells: Cells) -> str:
    """The file, shown at the cursor."""
    size = f"width={cells.columns};height={cells.rows};preserveAspectRatio=1"
    return f"\x1b]1337;File=inline=1;size={len(file)};{size};doNotMoveCursor=1:{text(file)}\a"
