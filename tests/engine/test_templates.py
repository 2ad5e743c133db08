"""The templates that ComfyUI ships, real workflows in the editor's form: all convert, and ComfyUI's own validation takes them."""

import json
from collections import Counter
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from comfyd.errors import ComfydError
from comfyd.protocol import Graph
from comfyd.workflow.classes.catalogue import Catalogue
from comfyd.workflow.convert import convert
from comfyd.workflow.prepared import prepare

from .conftest import make_base
from .validation import Validator
from .worker import WorkerProcess, done

TEMPLATES = Path(str(files("comfyui_workflow_templates_json") / "templates"))

NOT_IN_COMFYUI = {
    "template_rob_realistic_2k_images_quick_variations": "ImageRemoveAlpha+",
    "templates_mjm_looped_restyler": "GetImageSizeAndCount",
    "templates_rob_realistic_2k_images_quick_variations.app": "ImageRemoveAlpha+",
}
"""Templates that use a node of a pack, and its class."""

AS_SAVED = {
    "gsl_creator_2": "required_input_missing",  # its MaskPreview is linked to nothing
    "gsl_starter_1_2": "prompt_no_outputs",  # a lesson that starts without a node to save the picture
}
"""Templates that ComfyUI does not run as they are, and why."""

FILES = (".safetensors", ".png", ".jpg", ".jpeg", ".webp", ".mp4", ".mp3", ".wav", ".flac", ".pth", ".glb", ".fbx", ".obj")

RUN_WITHOUT_MODELS = (
    "basic_datatype_conversion",
    "basic_mask_operations_and_compositing",
    "gsl_starter_1_3",
    "utility_image_stitch",
    "utility_interpolation_image_upscale",
)


def load(name: str) -> Any:
    return json.loads((TEMPLATES / f"{name}.json").read_text(encoding="utf-8"))


def names() -> list[str]:
    """Every template; the package's indexes beside them are no workflows."""
    return [path.stem for path in sorted(TEMPLATES.glob("*.json")) if b'"nodes"' in path.read_bytes()]


@pytest.fixture(scope="module")
def validator(comfyui: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Validator]:
    program = Validator(comfyui, make_base(tmp_path_factory.mktemp("validation")))
    yield program
    program.close()


@pytest.mark.timeout(300)
def test_every_template_converts_and_validates(validator: Validator, capsys: pytest.CaptureFixture[str]) -> None:
    catalogue = Catalogue(validator.catalogue)
    unconverted: dict[str, ComfydError] = {}
    refused: dict[str, list[dict[str, Any]]] = {}
    missing: Counter[str] = Counter()
    for name in names():
        try:
            graph = convert(load(name), catalogue)
        except ComfydError as error:
            unconverted[name] = error
            continue
        errors = validator.errors(graph)
        missing.update(error["class"] for error in errors if is_missing_file(error))
        refused |= {name: left} if (left := [error for error in errors if not is_missing_file(error)]) else {}
    with capsys.disabled():
        print(report(unconverted, refused, missing))
    assert {name: error.code for name, error in unconverted.items()} == dict.fromkeys(NOT_IN_COMFYUI, "unknown-node")
    assert all(NOT_IN_COMFYUI[name] in error.message for name, error in unconverted.items())
    assert {name: errors[0]["type"] for name, errors in refused.items()} == AS_SAVED


def is_missing_file(error: dict[str, Any]) -> bool:
    """A model or an input file that is not there, which is all that may keep a template from running."""
    if error["type"] == "custom_validation_failed":
        return "Invalid " in error["details"] and " file: " in error["details"]
    return error["type"] == "value_not_in_list" and str(error["received"]).lower().endswith(FILES)


def report(unconverted: dict[str, ComfydError], refused: dict[str, list[dict[str, Any]]], missing: Counter[str]) -> str:
    count = len(names())
    lines = [f"\n{count} templates: {count - len(unconverted)} convert, {count - len(unconverted) - len(refused)} validate"]
    lines += [f"  {name}: {error.message}" for name, error in unconverted.items()]
    for name, found in refused.items():
        lines += [f"  {name}: {error['type']} {error['node']} {error['class']} {error['details']}" for error in found]
    lines += ["  but for files that are not there: " + ", ".join(f"{count} {name}" for name, count in missing.most_common())]
    return "\n".join(lines)


@pytest.mark.parametrize("name", RUN_WITHOUT_MODELS)
def test_templates_that_need_no_model_run(name: str, worker: WorkerProcess, validator: Validator) -> None:
    graph = prepare(None, load(name), Catalogue(validator.catalogue))
    give_pictures(graph, worker.base / "input")
    end = done(worker.run(graph))
    assert end.outputs


def give_pictures(graph: Graph, folder: Path) -> None:
    """A picture under each name that the graph loads."""
    from PIL import Image

    for node in graph.values():
        if node["class_type"] == "LoadImage":
            path = folder / node["inputs"]["image"]
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.linear_gradient("L").convert("RGB").save(path)


def test_the_worker_tells_what_stands_in_for_classes_of_old_names(worker: WorkerProcess) -> None:
    catalogue = Catalogue.read(worker.base / "cache" / "catalogue.json")
    old: Graph = {"1": {"class_type": "SDV_img2vid_Conditioning", "inputs": {"width": 512}}}
    assert prepare(old, None, catalogue)["1"] == {"class_type": "SVD_img2vid_Conditioning", "inputs": {"width": 512}}
