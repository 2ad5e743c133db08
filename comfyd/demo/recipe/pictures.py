"""Stage 1a: renders every Twemoji without skin tones to 120 x 120 pixels.

    python pictures.py NODE_MODULES OUT

NODE_MODULES holds the npm packages @twemoji/svg and emojibase-data. Writes OUT/pictures.npz (premultiplied RGBA,
uint8, one per emoji) and OUT/emoji.json (label, tags, shortcodes, group, in the same order). Needs resvg_py and Pillow.
"""

import io
import json
import sys
from pathlib import Path

import numpy as np
import resvg_py
from PIL import Image

SIZE = 120


def svg_of(folder: Path, hexcode: str) -> Path | None:
    """Twemoji names its files without the variation selector, except in a few joined sequences."""
    name = hexcode.lower()
    candidates = (name, name.replace("-fe0f", ""), name + "-fe0f")
    return next((path for each in candidates if (path := folder / f"{each.lstrip('0')}.svg").exists()), None)


def render(path: Path) -> np.ndarray:
    image = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_path=str(path), width=SIZE, height=SIZE))))
    pixels = np.asarray(image.convert("RGBA"), np.float32)
    pixels[..., :3] *= pixels[..., 3:] / 255
    return pixels.round().astype(np.uint8)


def words(text: str) -> str:
    return text.replace("_", " ").replace("’", "'").replace("“", "").replace("”", "").lower()


def shortcodes(package: Path, hexcode: str, tables: list[dict]) -> list[str]:
    found = []
    for table in tables:
        names = table.get(hexcode, [])
        found += [names] if isinstance(names, str) else names
    return sorted({words(name) for name in found if not any(c in name for c in "+0123456789")})


def main() -> None:
    modules, out = Path(sys.argv[1]), Path(sys.argv[2])
    package = modules / "emojibase-data" / "en"
    tables = [json.loads((package / "shortcodes" / f"{name}.json").read_text()) for name in ("emojibase", "github", "iamcal")]
    pictures, emoji = [], []
    for entry in json.loads((package / "data.json").read_text()):
        path = svg_of(modules / "@twemoji" / "svg", entry["hexcode"])
        if path is None or entry.get("group") == 2:
            continue
        pictures.append(render(path))
        emoji.append({
            "label": words(entry["label"]),
            "tags": [words(tag) for tag in entry.get("tags", [])],
            "shortcodes": shortcodes(package, entry["hexcode"], tables),
            "group": entry.get("group", -1),
        })
    out.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(out / "pictures.npz", pictures=np.stack(pictures))
    (out / "emoji.json").write_text(json.dumps(emoji))
    print(len(emoji), "pictures")


if __name__ == "__main__":
    main()
