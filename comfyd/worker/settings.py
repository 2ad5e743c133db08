"""What the daemon tells the worker at its start; imports msgspec only."""

import os
from pathlib import Path

import msgspec

_GIB = 1024**3


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The worker's settings, from COMFYD_WORKER_SETTINGS (JSON); sizes in bytes, 0 means a share of the machine's memory."""

    comfyui: str
    engine_args: list[str] = []
    data: str
    cache: str
    catalogue: str = ""
    """The file of the node catalogue; empty: one in ``cache``."""
    eager: bool = False
    """Whether everything is imported at the start, as ComfyUI does it."""
    cache_ram: int = 0
    cache_vram: int = 0
    models_ram: int = 0
    graphs_vram: int = 0
    """For CUDA graphs; negative: none are made."""
    png: str = "fast"
    receipts: str = ""
    """The folder of the receipts (``comfyd.receipts``); empty: none are written."""
    left_out: dict[str, str] = {}
    """Node packs that are not imported, because an earlier start ended while they were, and how."""

    @property
    def catalogue_file(self) -> Path:
        """Where the node catalogue is kept."""
        return Path(self.catalogue or Path(self.cache) / "catalogue.json")

    @property
    def demo(self) -> Path:
        """Where the demo checkpoint is put."""
        return Path(self.data) / "demo"


class Launch(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the process is started with."""

    address: str
    blackbox: str | None
    settings: Settings


def from_environment() -> Launch:
    """Reads the variables the supervisor sets; raises KeyError or msgspec.ValidationError when started by hand without them."""
    settings = msgspec.json.decode(os.environ["COMFYD_WORKER_SETTINGS"], type=Settings)
    return Launch(
        address=os.environ["COMFYD_WORKER_ADDRESS"], blackbox=os.environ.get("COMFYD_WORKER_BLACKBOX"), settings=settings
    )
