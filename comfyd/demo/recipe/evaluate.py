"""Stage 4: measures the shipped checkpoint through stock ComfyUI on the CPU, with the settings of workflow.json.

    python evaluate.py COMFYUI DATA OUT        writes OUT/results.json and OUT/contact-sheet.png

Over 200 random labels: top-1 among all emoji's pictures (pixels, 128 x 128) and PSNR. Over 200 compositions held out
from training: whether the nearest of their 200 targets at 32 x 32 is the right one, and PSNR.
"""

import json
import sys
import tempfile
from pathlib import Path

COMFYUI, DATA, OUT = (Path(argument).resolve() for argument in sys.argv[1:4])
sys.argv[1:] = ["--cpu"]
sys.path.insert(0, str(COMFYUI))

import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()

import folder_paths  # noqa: E402
import nodes  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
from comfy_extras.nodes_sd3 import EmptySD3LatentImage  # noqa: E402
from compose import Sprites  # noqa: E402
from PIL import Image, ImageDraw  # noqa: E402
from sample import Evaluation  # noqa: E402

from comfyd.demo import checkpoint  # noqa: E402

SHOWN = """red apple|cat face|pizza|rocket|red heart|rainbow|guitar|soccer ball|house|tree|sun|snowman|dog|a cup of coffee|penguin|car|
a cat and a red apple|three stars|blue heart on a yellow background|sun above house|pizza and a rocket|purple pizza|
a rocket on a blue background|an octopus with a crown|blue dog face|green pumpkin|four purple cats|two blue whales|
a red car and a green tree|yellow banana on a purple background|broccoli and cheese wedge|ghost on an orange background""".replace("\n", "").split("|")
SETTINGS = json.loads((Path(checkpoint.__file__).with_name("workflow.json")).read_text())["5"]["inputs"]


class Engine:
    """Stock nodes, as a user's graph calls them."""

    def __init__(self, folder: str):
        checkpoint.write(Path(folder) / checkpoint.NAME)
        folder_paths.add_model_folder_path("checkpoints", folder, is_default=True)
        self.model, self.clip, self.vae = nodes.CheckpointLoaderSimple().load_checkpoint(checkpoint.NAME)
        self.negative = nodes.CLIPTextEncode().encode(self.clip, "")[0]

    def draw(self, prompt: str, seed: int) -> torch.Tensor:
        """(3, 128, 128) in 0..1."""
        with torch.inference_mode():
            positive = nodes.CLIPTextEncode().encode(self.clip, prompt)[0]
            latent = EmptySD3LatentImage.execute(128, 128, 1)[0]
            chosen = [SETTINGS[name] for name in ("steps", "cfg", "sampler_name", "scheduler")]
            latent = nodes.KSampler().sample(self.model, seed, *chosen, positive, self.negative, latent, 1.0)[0]
            picture = nodes.VAEDecode().decode(self.vae, latent)[0][0]
        return picture.permute(2, 0, 1).clone()

    def all(self, prompts: list[str]) -> torch.Tensor:
        return torch.stack([self.draw(prompt, seed) for seed, prompt in enumerate(prompts)])


def sheet(engine: Engine, path: Path, columns: int = 8) -> None:
    rows = -(-len(SHOWN) // columns)
    image = Image.new("RGB", (columns * 140, rows * 160), (224, 224, 224))
    pen = ImageDraw.Draw(image)
    for i, prompt in enumerate(SHOWN):
        pixels = (engine.draw(prompt, 42).permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
        left, top = i % columns * 140 + 6, i // columns * 160 + 4
        image.paste(Image.fromarray(pixels), (left, top))
        pen.text((left, top + 129), "\n".join((prompt[:21], prompt[21:])), fill=0)
    image.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    evaluation = Evaluation(DATA, Sprites(np.load(DATA / "pictures.npz")["pictures"], "cpu"))
    with tempfile.TemporaryDirectory() as folder:
        engine = Engine(folder)
        sheet(engine, OUT / "contact-sheet.png")
        top, decibels = evaluation.label_figures(engine.all(evaluation.labels))
        near, of_compositions = evaluation.composition_figures(engine.all(evaluation.compositions))
    results = {
        "settings": {name: SETTINGS[name] for name in ("steps", "cfg", "sampler_name", "scheduler")},
        "labels": {"top-1": round(top, 4), "psnr": round(decibels, 2)},
        "held-out compositions": {"nearest": round(near, 4), "psnr": round(of_compositions, 2)},
    }
    (OUT / "results.json").write_text(json.dumps(results, indent=2) + "\n")
    print(json.dumps(results, indent=2))


if __name__ == "__main__":
    main()
