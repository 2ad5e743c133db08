"""What the engine's last start has left about itself in its node catalogue."""

from pathlib import Path

from comfyd.config import Config, Paths
from comfyd.errors import Unavailable
from comfyd.inuse import catalogue_in_use
from comfyd.protocol import PackInfo
from comfyd.workflow import Catalogue


def packs(config: Config, paths: Paths) -> list[PackInfo] | None:
    """How the import of each node pack went; None where these settings' engine has not been started yet."""
    found = _last(config, paths)
    return found.made_of.report if found else None


def folders(config: Config, paths: Paths) -> list[Path]:
    """The folders that the engine looks for models in, its own and those of extra_model_paths.yaml."""
    found = _last(config, paths)
    return [Path(folder) for folder in found.made_of.folders] if found else []


def _last(config: Config, paths: Paths) -> Catalogue | None:
    file = catalogue_in_use(paths.cache, config)
    try:
        return Catalogue.read(file) if file else None
    except Unavailable:
        return None
