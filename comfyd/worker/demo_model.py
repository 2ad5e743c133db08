"""The demo checkpoint as a model the engine knows, written to disk when a loader first asks for it."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import comfy.sd
import folder_paths

from comfyd.demo import checkpoint, colours


def register(folder: Path) -> None:
    """Lists the demo checkpoint among the checkpoints, and its path's lookup so that the file is there when it is used."""
    folder.mkdir(parents=True, exist_ok=True)
    folder_paths.add_model_folder_path("checkpoints", str(folder))
    list_files, find_file = folder_paths.get_filename_list, folder_paths.get_full_path

    def get_filename_list(folder_name: str) -> list[str]:
        found: list[str] = list_files(folder_name)
        if folder_name == "checkpoints" and checkpoint.NAME not in found:
            found = [*found, checkpoint.NAME]
        return found

    def get_full_path(folder_name: str, filename: str) -> Any:
        path = folder / checkpoint.NAME
        if folder_name == "checkpoints" and filename == checkpoint.NAME and not checkpoint.is_current(path):
            checkpoint.write(path)
        return find_file(folder_name, filename)

    folder_paths.get_filename_list = get_filename_list
    folder_paths.get_full_path = get_full_path
    comfy.sd.load_checkpoint_guess_config = _coloured(comfy.sd.load_checkpoint_guess_config)


def _coloured(load: Callable[..., Any]) -> Callable[..., Any]:
    """Its latents look other than those of the SD3 that ComfyUI takes it for."""

    @functools.wraps(load)
    def load_checkpoint_guess_config(ckpt_path: str, *args: Any, **kwargs: Any) -> Any:
        found = load(ckpt_path, *args, **kwargs)
        if Path(ckpt_path).name == checkpoint.NAME and found[0] is not None:
            kind = found[0].model.latent_format
            kind.latent_rgb_factors, kind.latent_rgb_factors_bias = colours.FACTORS, colours.BIAS
        return found

    return load_checkpoint_guess_config
