"""What the engine's last start has left about itself in its node catalogue."""

from pathlib import Path

from comfyd.config import Config, Paths
from comfyd.errors import Unavailable
from comfyd.inuse import InUse
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
    noted = InUse.read(paths.cache)
    if noted is None or not noted.suits(config):
        return None
    try:
        return Catalogue.read(paths.cache / noted.catalogue)
    except Unavailable:
        return None
