"""Stage 3: the trained weights as they ship: int8 rows with a scale each, half precision for the rest.

    python export.py STATE WEIGHTS      from the state that train.py leaves (autoencoder.npz, transformer-*.npz)
"""

import json
import struct
import sys
from pathlib import Path

import numpy as np
import torch

FILES = 2
DTYPES = {"float16": "F16", "float32": "F32", "int8": "I8"}


def rows(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """int8 of the weight's shape and a float32 scale for each row."""
    flat = weight.reshape(len(weight), -1).astype(np.float32)
    scale = np.maximum(np.abs(flat).max(1), 1e-12) / 127
    return np.clip(np.rint(flat / scale[:, None]), -127, 127).astype(np.int8).reshape(weight.shape), scale.astype(np.float32)


def quantized(state: dict[str, torch.Tensor]) -> dict[str, np.ndarray]:
    out = {}
    for name, value in state.items():
        array = value.detach().float().cpu().numpy()
        if array.ndim > 1:
            out[name], out[name + ".scale"] = rows(array)
        else:
            out[name] = array.astype(np.float16)
    return out


def restored(arrays: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    out = {}
    for name, value in arrays.items():
        if not name.endswith(".scale"):
            array = value.astype(np.float32)
            if name + ".scale" in arrays:
                array = array * arrays[name + ".scale"].reshape(-1, *[1] * (array.ndim - 1))
            out[name] = torch.from_numpy(array)
    return out


def save_state(folder: Path, transformer: dict | None = None, autoencoder: dict | None = None) -> None:
    """In files of less than 15 MB."""
    if autoencoder is not None:
        np.savez_compressed(folder / "autoencoder.npz", **{name: value.half().cpu().numpy() for name, value in autoencoder.items()})
    if transformer is not None:
        arrays = list(quantized(transformer).items())
        half = len(arrays) // FILES
        for part, chosen in enumerate((arrays[:half], arrays[half:])):
            np.savez(folder / f"transformer-{part}.npz", **dict(chosen))


def load_state(folder: Path) -> tuple[dict, dict]:
    """Transformer's (empty when not there yet) and autoencoder's."""
    arrays: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("transformer-*.npz")):
        arrays |= dict(np.load(path))
    autoencoder = {name: torch.from_numpy(value.astype(np.float32)) for name, value in np.load(folder / "autoencoder.npz").items()}
    return restored(arrays), autoencoder


def write(path: Path, tensors: dict[str, np.ndarray]) -> None:
    """A safetensors file."""
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": DTYPES[value.dtype.name], "shape": value.shape, "data_offsets": [offset, offset + value.nbytes]}
        offset += value.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(np.ascontiguousarray(value).tobytes())


def main() -> None:
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    transformer: dict[str, np.ndarray] = {}
    for path in sorted(folder.glob("transformer-*.npz")):
        transformer |= dict(np.load(path))
    autoencoder = {name: torch.from_numpy(value) for name, value in np.load(folder / "autoencoder.npz").items()}
    tensors = {f"model.diffusion_model.{name}": value for name, value in transformer.items()}
    tensors |= {f"first_stage_model.{name}": value for name, value in quantized(autoencoder).items()}
    # Half precision first, then single bytes: every tensor starts at a multiple of its item size.
    write(out, dict(sorted(tensors.items(), key=lambda item: (-item[1].itemsize, item[0]))))


if __name__ == "__main__":
    main()
