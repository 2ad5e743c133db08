"""Which ComfyUI runs, and how it gets there: found, installed, chosen, described, removed. Imports neither torch nor ComfyUI."""

from .choose import use
from .discovery import Engine, locate
from .installation import install
from .removal import Removed, remove
from .report import EngineStatus, status

__all__ = ["Engine", "EngineStatus", "Removed", "install", "locate", "remove", "status", "use"]
