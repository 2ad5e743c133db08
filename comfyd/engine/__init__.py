"""Which ComfyUI runs, and how it gets there: found, installed, chosen, described, removed. Imports neither torch nor ComfyUI."""

from .choose import use
from .install import install
from .locate import Engine, locate
from .remove import Removed, remove
from .status import EngineStatus, status

__all__ = ["Engine", "EngineStatus", "Removed", "install", "locate", "remove", "status", "use"]
