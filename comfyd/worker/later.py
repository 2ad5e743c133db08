"""What a start has left for later, done in pieces while no job is there; what a job needs of it sooner is imported then."""

import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import nodes

from . import deferral
from .made import MadeCatalogue
from .packs import Packs

_FIRST = "comfy.sd1_clip"  # with the tokenizers' library the longest import that nearly every job needs


class Later:
    """The rest of a start. ``piece`` does a little of it, in the engine's own thread while nobody has the baton."""

    def __init__(self, packs: Packs, made: MadeCatalogue) -> None:
        self._packs = packs
        self._made = made
        self._pieces = self._all()
        self.left = True
        """Whether there is something to do."""
        engine, libraries = deferral.waiting_of_engine(), deferral.waiting_libraries()
        files = len(packs.classes.modules_left())
        logging.info("comfyd: %d node files wait, %d modules and %s", files, len(engine), ", ".join(libraries) or "no library")

    def piece(self) -> None:
        """Does the next piece: a few milliseconds as a rule, the longest half a second."""
        try:
            next(self._pieces)
        except StopIteration:
            self.left = False
        except Exception:
            logging.exception("comfyd: what the start had left for later failed")
            self.left = False

    def before(self, graph: Mapping[str, Any]) -> None:
        """Before a job: the code of a pack may replace functions of the engine, and must not find it half imported."""
        if self.left and self._packs.report and any(self._is_custom(node.get("class_type")) for node in graph.values()):
            self._packs.import_rest()

    def _is_custom(self, name: object) -> bool:
        node = None if not isinstance(name, str) or self._packs.classes.waits(name) else nodes.NODE_CLASS_MAPPINGS.get(name)
        return str(getattr(node, "RELATIVE_PYTHON_MODULE", "")).startswith("custom_nodes")

    def _all(self) -> Iterator[None]:
        if _FIRST in deferral.waiting():
            deferral.execute(sys.modules[_FIRST])
            yield
        for module in self._packs.classes.modules_left():
            self._packs.classes.import_module(module)
            yield
        if self._packs.report:
            for name in deferral.waiting_of_engine():
                deferral.execute(sys.modules[name])
                yield
        if not self._made.fresh:
            yield from self._made.refresh()
