"""What is examined: the settings, and what more than one examination has to know of the engine, looked for once."""

from functools import cached_property

from comfyd.config import Config, Paths
from comfyd.engine.report import EngineStatus, status
from comfyd.errors import EngineNotFound, Unavailable
from comfyd.inuse import catalogue_in_use
from comfyd.workflow import Catalogue


class Setup:
    """One user's comfyd, as these settings make it."""

    def __init__(self, config: Config, paths: Paths) -> None:
        self.config = config
        self.paths = paths

    @cached_property
    def engine(self) -> EngineStatus | EngineNotFound:
        """The engine that would be used, or why there is none; its interpreter is asked."""
        try:
            return status(self.config, self.paths)
        except EngineNotFound as error:
            return error

    @cached_property
    def catalogue(self) -> Catalogue | None:
        """What the engine's last start has left about itself; None where these settings' engine has not been started yet."""
        file = catalogue_in_use(self.paths.cache, self.config)
        try:
            return Catalogue.read(file) if file else None
        except Unavailable:
            return None
