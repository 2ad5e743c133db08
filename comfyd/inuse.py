"""Which node catalogue is that of the engine in use: noted by the daemon, read by clients, who need not look for an engine."""

from pathlib import Path
from typing import ClassVar

import msgspec

from .config import Config


class InUse(msgspec.Struct, frozen=True, kw_only=True):
    """A catalogue's file name and the settings that led to its engine."""

    FILE: ClassVar[str] = "in-use.json"

    catalogue: str
    comfyui: str | None
    python: str | None
    engine_args: list[str]

    @classmethod
    def of(cls, catalogue: Path, config: Config) -> "InUse":
        """What to note of this catalogue."""
        return cls(catalogue=catalogue.name, comfyui=config.comfyui, python=config.python, engine_args=config.engine_args)

    def encode(self) -> bytes:
        """The note's bytes."""
        return msgspec.json.encode(self)

    @classmethod
    def read(cls, cache: Path) -> "InUse | None":
        """The note, None where there is none."""
        try:
            return msgspec.json.decode((cache / cls.FILE).read_bytes(), type=cls)
        except (OSError, msgspec.MsgspecError):
            return None

    def suits(self, config: Config) -> bool:
        """Whether these settings lead to that engine."""
        return (self.comfyui, self.python, self.engine_args) == (config.comfyui, config.python, config.engine_args)


def catalogue_in_use(cache: Path, config: Config | None = None) -> Path | None:
    """The catalogue of the engine last in use, or None; with ``config`` only where its settings lead to that engine."""
    noted = InUse.read(cache)
    if noted is None:
        return max(cache.glob("catalogue-*.json"), key=lambda file: file.stat().st_mtime, default=None)
    file = cache / noted.catalogue
    return file if (config is None or noted.suits(config)) and file.exists() else None
