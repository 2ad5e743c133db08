"""What all jobs of the worker share."""

from collections.abc import Callable
from typing import Any

from comfyd.protocol import FromWorker

from .baton import Baton
from .blackbox import BlackBox
from .cache import Store
from .memory import Meter


class Workbench:
    """Store, baton, meters and the way out; one for the process."""

    def __init__(self, store: Store, server: Any, blackbox: BlackBox, emit: Callable[[FromWorker], None]) -> None:
        self.store = store
        self.server = server
        self.blackbox = blackbox
        self.emit = emit
        self.baton = Baton()
        self.meter = Meter()
        self.instances: dict[tuple[object, ...], Any] = {}
        self.contended: Callable[[], bool] = self.baton.has_ready
        """Whether anything waits for the running job to let go."""
