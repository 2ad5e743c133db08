"""Starts the engine in this process: ComfyUI's arguments, its own ``main`` module, all nodes, a stand-in for its server."""

import asyncio
import contextlib
import logging
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .settings import Settings

if TYPE_CHECKING:
    from .blackbox import BlackBox
    from .made import MadeCatalogue
    from .packs import Packs

_ACCELERATORS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/dev/davinci_manager")

# Dynamic VRAM is off because leases and captured graphs need weights that stay where they are,
# cudaMallocAsync because a captured graph's memory pool needs torch's own allocator.
_ARGUMENTS = ["--disable-dynamic-vram", "--disable-cuda-malloc", "--disable-auto-launch"]


class Loaded:
    """The engine in this process: the PromptServer stand-in, the node packs, and what the catalogue is made from."""

    def __init__(self, server: Any, packs: "Packs", made: "MadeCatalogue") -> None:
        self.server = server
        self.packs = packs
        self.made = made


def load(settings: Settings, blackbox: "BlackBox") -> Loaded:
    """Imports the engine: all of it at a first start, and what jobs cannot do without where an earlier start was like this one.

    ``main`` is ComfyUI's own module: importing it reads the arguments and ``extra_model_paths.yaml`` and runs the packs'
    prestartup scripts, in the order ComfyUI means them to be, and starts no server.
    """
    args = _enter(settings)
    from . import assets, deferral, known

    now = known.engine(Path(settings.comfyui), [file for files in args.extra_model_paths_config or [] for file in files])
    found = known.Known() if settings.eager else known.read(settings.catalogue_file, now)
    waiting = deferral.Deferral(found.made_of.modules)
    with waiting.active(), contextlib.nullcontext() if args.enable_assets else assets.named_only():
        import main  # type: ignore[import-not-found]  # noqa: F401

        from . import demo_model, prompt_server
        from .made import MadeCatalogue
        from .packs import Packs

        _set_temp_directory()
        demo_model.register(settings.demo)
        instance = prompt_server.install()
        packs = Packs(found, waiting, blackbox, settings.left_out)
    asyncio.run(_load_nodes(packs))
    return Loaded(instance, packs, MadeCatalogue(settings, version(), found, now, packs))


def version() -> str:
    """ComfyUI's version."""
    import comfyui_version

    return str(comfyui_version.__version__)


def _enter(settings: Settings) -> Any:
    """Makes this process ComfyUI's; returns its arguments."""
    root = Path(settings.comfyui)
    sys.path.insert(0, str(root))
    os.chdir(root)  # node packs read files beside ComfyUI's main.py by relative paths
    sys.argv = [str(root / "main.py"), *_ARGUMENTS, *settings.engine_args]
    if not _has_accelerator() and "--cpu" not in sys.argv:
        sys.argv.append("--cpu")
    # On a CPU shared with other programs, threads that spin for each other cost ten times a step's time (measured).
    os.environ.setdefault("GOMP_SPINCOUNT", "3000")
    # Torch settles for a folder in /tmp as soon as anything imports its compiler, which other modules of the engine do.
    os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(compiled(settings)))
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    import comfy.options

    comfy.options.enable_args_parsing()
    from comfy.cli_args import args

    _set_environment(args)
    return args


def compiled(settings: Settings) -> Path:
    """Where compiled kernels are kept."""
    return Path(settings.cache) / "compiled"


def _set_environment(args: Any) -> None:
    """What ComfyUI's ``main`` sets only when it is the program."""
    if args.default_device is not None:
        others = [device for device in range(32) if device != args.default_device]
        _show_devices(",".join(map(str, [args.default_device, *others])))
    if args.cuda_device is not None:
        _show_devices(str(args.cuda_device))
    if args.oneapi_device_selector is not None:
        os.environ["ONEAPI_DEVICE_SELECTOR"] = args.oneapi_device_selector
    if args.deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def _show_devices(devices: str) -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = os.environ["HIP_VISIBLE_DEVICES"] = devices


def _set_temp_directory() -> None:
    """``--temp-directory``, which ComfyUI reads when it starts its server."""
    import folder_paths
    from comfy.cli_args import args

    if args.temp_directory:
        folder_paths.set_temp_directory(str(Path(args.temp_directory).absolute() / "temp"))
    Path(folder_paths.get_temp_directory()).mkdir(parents=True, exist_ok=True)


def _has_accelerator() -> bool:
    """Whether the machine shows a device torch could use; asked of the file system, because torch must not be imported yet."""
    return sys.platform != "linux" or any(Path(device).exists() for device in _ACCELERATORS)


async def _load_nodes(packs: "Packs") -> None:
    """All node classes, as ComfyUI's ``start_comfyui`` loads them."""
    import comfy.model_management
    import hook_breaker_ac10a0
    import nodes
    from comfy.cli_args import args

    hook_breaker_ac10a0.save_functions()
    custom = not args.disable_all_custom_nodes or bool(args.whitelist_custom_nodes)
    await packs.load_all(custom=custom, api=not args.disable_api_nodes)
    comfy.model_management.set_cudnn_benchmark()
    hook_breaker_ac10a0.restore_functions()
    logging.info("comfyd: %d node classes, %d packs failed", len(nodes.NODE_CLASS_MAPPINGS), len(packs.failed))
