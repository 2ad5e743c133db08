"""What a job has made: files, pictures, texts, and how it went."""

from pathlib import Path
from typing import Any

import msgspec

from comfyd.protocol import Done

_PICTURES = {".png", ".jpg", ".jpeg", ".webp", ".avif", ".gif", ".bmp", ".tiff"}


class Image:
    """A picture's file; a notebook shows it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def bytes(self) -> bytes:
        """The file's content."""
        return self.path.read_bytes()

    def pil(self) -> Any:
        """A ``PIL.Image.Image``, loaded; needs Pillow."""
        import PIL.Image

        with PIL.Image.open(self.path) as picture:
            picture.load()
            return picture

    def __repr__(self) -> str:
        return f"Image({str(self.path)!r})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        """What IPython shows."""
        kinds = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp", ".gif": "image/gif"}
        kind = kinds.get(self.path.suffix.lower())
        return {kind: self.bytes(), "text/plain": repr(self)} if kind else {"text/plain": repr(self)}


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """A job that is done; all its files are there."""

    job: int
    files: list[Path]
    """Absolute, in the order in which they were saved."""
    overrides: dict[str, Any] = {}
    """What was set for this run, by canonical address, as values of the inputs' types."""
    seconds: float
    executed: list[str]
    """Ids of the nodes that ran; the results of the others were there."""
    nodes_total: int
    peak_memory: int
    """Highest memory of the device during the job, in bytes."""
    device: str
    mode: str
    outputs: dict[str, Any]
    """ComfyUI's own ``ui`` results by node id: texts and file entries."""

    @property
    def images(self) -> list[Image]:
        """Those of the files that are pictures."""
        return [Image(file) for file in self.files if file.suffix.lower() in _PICTURES]


def result(done: Done, overrides: dict[str, Any]) -> Result:
    """The result that a job's final message tells of."""
    return Result(
        job=done.job,
        files=[Path(file) for file in done.files],
        overrides=overrides,
        seconds=done.seconds,
        executed=done.executed,
        nodes_total=done.nodes_total,
        peak_memory=done.peak_memory,
        device=done.device,
        mode=done.mode,
        outputs=done.outputs,
    )
