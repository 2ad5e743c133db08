"""Stand-ins for the two functions with which ComfyUI's own nodes save PNGs: the same files, off the critical path.

They take over while one of ComfyUI's own nodes executes in a job, and only where the engine's code is the one they were made
after; everything else, and whatever they cannot convert, goes to the original.
"""

import functools
import hashlib
import inspect
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import comfy_api.latest._ui as api_ui
import nodes
import torch
from comfy.cli_args import args
from PIL.PngImagePlugin import PngInfo

from comfyd.worker import outputs

from .filters import Bytes
from .formats import Encode, encoder
from .pixels import convertible, eight_bit
from .png import Texts

_KNOWN = {"SaveImage": "d84458bcea75052b", "ImageSaveHelper": "d72f9b61af766338"}
"""Digests of the source that is stood in for (ComfyUI 0.30)."""


def install(setting: str) -> None:
    """Puts the stand-ins in place; ``setting`` is the configuration's ``png``."""
    if _is_known("SaveImage", nodes.SaveImage.save_images):
        nodes.SaveImage.save_images = _node_method(nodes.SaveImage.save_images, setting)
    helper = api_ui.ImageSaveHelper
    if _is_known("ImageSaveHelper", helper.save_images):
        helper.save_images = staticmethod(_helper_method(helper.save_images, setting))


def _is_known(name: str, function: Callable[..., Any]) -> bool:
    """Whether the engine's code, which a node pack may have replaced, is the one known."""
    try:
        source = "".join(inspect.getsource(function).split())
    except (OSError, TypeError):
        source = ""
    if known := hashlib.blake2b(source.encode(), digest_size=8).hexdigest() == _KNOWN[name]:
        return known
    logging.info("comfyd: %s is not ComfyUI 0.30's own; it saves by itself", name)
    return False


def _node_method(original: Callable[..., Any], setting: str) -> Callable[..., Any]:
    """``SaveImage.save_images``, of SaveImage and PreviewImage."""

    @functools.wraps(original)
    def save_images(
        self: Any, images: Any, filename_prefix: str = "ComfyUI", prompt: Any = None, extra_pnginfo: Any = None
    ) -> dict[str, Any]:
        staging = outputs.active()
        if staging is None or type(self) not in (nodes.SaveImage, nodes.PreviewImage) or not convertible(images):
            result: dict[str, Any] = original(self, images, filename_prefix, prompt, extra_pnginfo)
            return result
        picture = _Picture(
            encoder(setting, self.compress_level), None if args.disable_metadata else _texts(prompt, extra_pnginfo)
        )
        saved = _save(staging, images, filename_prefix + self.prefix_append, self.output_dir, picture)
        entries = [{"filename": name, "subfolder": subfolder, "type": self.type} for name, subfolder in saved]
        return {"ui": {"images": entries}, "result": (images,)}

    return save_images


def _helper_method(original: Callable[..., Any], setting: str) -> Callable[..., Any]:
    """``ImageSaveHelper.save_images``, of the nodes written against the newer API."""

    @functools.wraps(original)
    def save_images(images: Any, filename_prefix: str, folder_type: Any, cls: Any, compress_level: int = 4) -> list[Any]:
        staging = outputs.active()
        if staging is None or not convertible(images):
            result: list[Any] = original(images, filename_prefix, folder_type, cls, compress_level)
            return result
        picture = _Picture(encoder(setting, compress_level), api_ui.ImageSaveHelper._create_png_metadata(cls))
        saved = _save(staging, images, filename_prefix, api_ui._get_directory_by_folder_type(folder_type), picture)
        return [api_ui.SavedResult(name, subfolder, folder_type) for name, subfolder in saved]

    return save_images


def _texts(prompt: Any, extra_pnginfo: dict[str, Any] | None) -> PngInfo:
    """The metadata of SaveImage (nodes.py), in its order."""
    texts = PngInfo()
    if prompt is not None:
        texts.add_text("prompt", json.dumps(prompt))
    for name, value in (extra_pnginfo or {}).items():
        texts.add_text(name, json.dumps(value))
    return texts


class _Picture(NamedTuple):
    """What makes a file of pixels."""

    encode: Encode
    texts: Texts | None

    def parts(self, pixels: Callable[[], Bytes]) -> list[bytes]:
        """The file's parts; waits for the pixels."""
        return self.encode(pixels(), self.texts)


def _save(
    staging: outputs.Staging, images: torch.Tensor, prefix: str, output_dir: str, picture: _Picture
) -> list[tuple[str, str]]:
    """Takes each image's pixels now and hands its file in; names and subfolder, as the originals make them."""
    height, width = images.shape[1:3]
    folder, stem, counter, subfolder, _ = outputs.numbered(prefix, output_dir, width, height)
    saved = []
    for number, image in enumerate(images):
        name = f"{stem.replace('%batch_num%', str(number))}_{counter + number:05}_.png"
        parts = functools.partial(picture.parts, eight_bit(image))
        staging.begin(Path(folder, name), Path(output_dir), image.numel(), parts)
        saved.append((name, subfolder))
    return saved
