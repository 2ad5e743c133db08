"""The picture that a job is making, as large as there is room for beside its progress."""

from comfyd.protocol import Preview

from ..terminal import Terminal
from .pixels import Pixels
from .room import Cells
from .screen import Drawn, Screen


class Moving:
    """``latest`` is set by whoever reads the job's events, ``drawn`` called by whoever draws, one at a time."""

    def __init__(self, terminal: Terminal) -> None:
        self.latest: Preview | None = None
        self._terminal = terminal
        self._screen: Screen | None = None
        self._looked = False
        self._of: tuple[Preview, Cells] | None = None
        self._drawn: Drawn | None = None

    def drawn(self) -> Drawn | None:
        """The newest for a terminal of this size; the same object as long as nothing has changed."""
        screen, preview = self._on(), self.latest
        if screen is None or preview is None or preview.format != "rgb8":
            return None
        of = (preview, screen.size)
        if self._of is None or of[0] is not self._of[0] or of[1] != self._of[1]:
            self._of, self._drawn = of, _draw(screen, preview)
        return self._drawn

    def _on(self) -> Screen | None:
        """Looked for with the first picture: the terminal may have to be asked."""
        if not self._looked:
            self._looked, self._screen = True, Screen.of(self._terminal)
        return self._screen


def _draw(screen: Screen, preview: Preview) -> Drawn | None:
    within = screen.room(live=True)
    if not within.rows:
        return None
    pixels = Pixels(preview.width, preview.height, preview.data)
    try:
        return screen.moving(pixels, screen.box(preview.width, preview.height, within))
    except ImportError:  # a Python without Pillow
        return None
