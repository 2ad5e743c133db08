"""Starts that know an earlier one: the same classes and pictures as ComfyUI's, whatever waits; when all is imported."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from comfyd.daemon import autopsy
from comfyd.demo import checkpoint
from comfyd.protocol import Describe, Described, Ready, StartFailed
from tests.daemon_process import wait_until

from .conftest import make_base
from .graphs import LATENT, SAMPLER, chain, changed, demo, shown
from .stock import StockServer
from .worker import WorkerProcess, done, failed

LOG_OF_WAITING = "node files wait"


class Starts:
    """Workers one after another on one base directory."""

    def __init__(self, comfyui: Path, base: Path, data: Path) -> None:
        self.comfyui, self.base, self.data = comfyui, base, data
        self._worker: WorkerProcess | None = None
        self.ready: Ready

    def again(self, **settings: Any) -> WorkerProcess:
        self.close()
        self._worker = WorkerProcess(self.comfyui, self.base, self.data, settings)
        self.ready = self._worker.ready()
        return self._worker

    def waiting(self) -> int:
        """How many node files the present worker did not import at its start."""
        return int(self.told().split(LOG_OF_WAITING)[0].split()[-1])

    def told(self) -> str:
        """The line in the log on what waits."""
        return next(line for line in self.log().splitlines() if LOG_OF_WAITING in line)

    def log(self) -> str:
        """What the present worker has said."""
        assert self._worker is not None
        return self._worker.log.read_text()

    def catalogue(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(Path(self.ready.catalogue).read_text())
        return content

    def close(self) -> None:
        if self._worker is not None:
            self._worker.close()

    def pack(self, name: str, code: str) -> None:
        folder = self.base / "custom_nodes" / name
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text(code)


@pytest.fixture
def starts(comfyui: Path, demo_checkpoint: Path, tmp_path: Path) -> Iterator[Starts]:
    made = Starts(comfyui, make_base(tmp_path / "base"), demo_checkpoint.parent.parent)
    yield made
    made.close()


CUSTOM_SAMPLING = ("BasicScheduler", "KSamplerSelect", "SamplerCustom")


def custom(**sampler: Any) -> dict[str, Any]:
    """The demo graph sampled by nodes of ``comfy_extras``, with a latent of theirs."""
    graph = demo(**sampler)
    inputs = graph[SAMPLER]["inputs"]
    graph["30"] = {
        "class_type": "BasicScheduler",
        "inputs": {"model": inputs["model"], "scheduler": "beta", "steps": inputs["steps"], "denoise": 1.0},
    }
    graph["31"] = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "dpmpp_2m_sde"}}
    graph[SAMPLER] = {
        "class_type": "SamplerCustom",
        "inputs": {
            "model": inputs["model"],
            "add_noise": True,
            "noise_seed": inputs["seed"],
            "cfg": inputs["cfg"],
            "positive": inputs["positive"],
            "negative": inputs["negative"],
            "sampler": ["31", 0],
            "sigmas": ["30", 0],
            "latent_image": [LATENT, 0],
        },
    }
    return graph


def test_a_start_that_knows_another_gives_the_same_pictures(starts: Starts) -> None:
    worker = starts.again()
    assert starts.waiting() == 0
    first = [Path(done(worker.run(graph)).files[0]).read_bytes() for graph in (custom(), demo())]
    worker = starts.again()
    assert starts.waiting() > 90
    assert {"torch._dynamo", "scipy.stats"} <= set(starts.told().replace(",", "").split())
    second = [Path(done(worker.run(graph)).files[0]).read_bytes() for graph in (custom(), demo())]
    assert first == second


def blended() -> dict[str, Any]:
    """Two empty pictures, one over the other: by a class of a file that ComfyUI can only import after another one."""
    sizes = {"width": 8, "height": 8, "batch_size": 1, "color": 0xFF}
    blend = {"image1": ["1", 0], "image2": ["1", 0], "blend_factor": 0.5, "blend_mode": "normal"}
    return {
        "1": {"class_type": "EmptyImage", "inputs": sizes},
        "2": {"class_type": "ImageBlend", "inputs": blend},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }


def test_files_that_import_each_other_do_not_wait(starts: Starts) -> None:
    starts.again()
    worker = starts.again()
    assert starts.waiting() > 90
    assert starts.catalogue()["made_of"]["eager"] == ["comfy_extras.nodes_latent"]
    assert len(done(worker.run(blended())).executed) == 3
    assert "once more" not in starts.log()


UNSEEN = "comfy_extras.nodes_latent"


def test_a_file_that_cannot_come_first_comes_after_the_others(starts: Starts) -> None:
    starts.again()
    catalogue = starts.catalogue()
    catalogue["made_of"]["eager"].remove(UNSEEN)
    catalogue["modules"][UNSEEN] = [name for name, node in catalogue["nodes"].items() if node["python_module"] == UNSEEN]
    Path(starts.ready.catalogue).write_text(json.dumps(catalogue))
    worker = starts.again()
    assert len(done(worker.run(blended())).executed) == 3
    assert "nodes_post_processing.py is imported once more" in starts.log()


def test_nothing_waits_where_that_is_not_wanted(starts: Starts) -> None:
    starts.again()
    starts.again(eager=True)
    assert starts.waiting() == 0


def comparable(entry: Any) -> Any:
    """An entry without comfyd's own checkpoint among the choices, with large limits as they travel."""
    if isinstance(entry, list):
        return [comparable(item) for item in entry if item != checkpoint.NAME]
    if isinstance(entry, dict):
        return {key: comparable(value) for key, value in entry.items()}
    return float(entry) if isinstance(entry, int) and abs(entry) >= 2**63 else entry


def test_all_classes_are_what_the_stock_server_says(starts: Starts, comfyui: Path) -> None:
    stock = StockServer(comfyui, starts.base, arguments=("--cpu", "--whitelist-custom-nodes", "comfyd_test_pack"))
    try:
        with urllib.request.urlopen(f"{stock.url}/object_info", timeout=60) as reply:
            theirs = json.load(reply)
    finally:
        stock.close()
    starts.again()
    worker = starts.again()
    names = list(theirs)
    assert starts.waiting() > 90
    assert list(starts.catalogue()["nodes"]) == names
    worker.send(Describe(request=1, classes=names))
    ours = worker.wait_for(Described).classes
    for name in names:
        entry = comparable(ours[name])
        assert entry.pop("validates") is not None
        assert entry == comparable(theirs[name]), name


FAILING = """
import comfyd_no_such_package
"""

LOOKING = """
import comfy.samplers
import nodes
from nodes import NODE_CLASS_MAPPINGS as ALL

class Looking:
    RETURN_TYPES = ("STRING",)
    FUNCTION = "run"
    CATEGORY = "tests"
    SEEN = (len(ALL), all(isinstance(each, type) for each in ALL.values()), "SamplerCustom" in ALL)

    @classmethod
    def INPUT_TYPES(cls):
        return {"required": {"text": ("STRING", {"default": ""})}}

    def run(self, text):
        return (repr(self.SEEN),)

class Shouting(ALL["StringTrim"]):
    @classmethod
    def execute(cls, *args, **kwargs):
        return type(super().execute(*args, **kwargs))("shouted")

ALL["StringTrim"] = Shouting
NODE_CLASS_MAPPINGS = {"TestLooking": Looking}
"""

PATCHING = (
    LOOKING
    + """
import comfy.utils
comfy.utils.common_upscale = lambda *args, original=comfy.utils.common_upscale: original(*args)
"""
)

TRIM = {"class_type": "StringTrim", "inputs": {"string": " x ", "mode": "Both"}}


def test_a_pack_that_fails_is_named_with_its_reason(starts: Starts) -> None:
    starts.pack("failing", FAILING)
    for _ in range(2):
        worker = starts.again()
        assert starts.ready.failed_packs == ["failing"]
        report = {pack.name: pack for pack in starts.ready.packs}
        assert report["failing"].error == "ModuleNotFoundError: No module named 'comfyd_no_such_package'"
        assert report["comfyd_test_pack"].error == ""
        assert report["comfyd_test_pack"].seconds > 0
        assert [pack["name"] for pack in starts.catalogue()["made_of"]["report"] if pack["error"]] == ["failing"]
        assert shown(done(worker.run(chain("TestEcho"))).outputs) == ["x"]


@pytest.mark.parametrize(
    ("code", "said"), [("raise SystemExit(3)", "SystemExit: 3"), ("raise KeyboardInterrupt", "KeyboardInterrupt")]
)
def test_a_pack_that_wants_to_end_the_process_fails_like_others(starts: Starts, code: str, said: str) -> None:
    starts.pack("ending", code)
    starts.again()
    assert [(pack.name, pack.error) for pack in starts.ready.packs if pack.error] == [("ending", said)]


def test_a_pack_whose_prestartup_script_ends_the_process_is_named(starts: Starts) -> None:
    starts.pack("ending", "")
    (starts.base / "custom_nodes" / "ending" / "prestartup_script.py").write_text("raise SystemExit(3)")
    worker = WorkerProcess(starts.comfyui, starts.base, starts.data)
    end = worker.wait_for(StartFailed)
    assert "did not start, because its node pack ending fails (SystemExit: 3); mend" in end.error.message
    worker.close()


def test_a_pack_whose_import_crashes_is_named(starts: Starts) -> None:
    starts.pack("crashing", "import os\nos.abort()\n")
    worker = WorkerProcess(starts.comfyui, starts.base, starts.data)
    worker.process.wait(90)
    assert autopsy.read_import(worker.blackbox) == "crashing"
    worker.close()


def test_a_pack_that_is_left_out_is_not_imported(starts: Starts) -> None:
    starts.pack("crashing", "import os\nos.abort()\n")
    reason = "the process was ended by SIGABRT while it was imported"
    worker = starts.again(left_out={"crashing": reason})
    assert [(pack.name, pack.error) for pack in starts.ready.packs if pack.error] == [("crashing", reason)]
    done(worker.run(demo(steps=1)))


@pytest.mark.parametrize(("code", "patches"), [(LOOKING, False), (PATCHING, True)])
def test_a_pack_sees_and_replaces_all_classes_at_its_import(starts: Starts, code: str, patches: bool) -> None:
    starts.pack("looking", code)
    seen = set()
    for _ in range(2):
        worker = starts.again()
        assert starts.catalogue()["made_of"]["patching"] is patches
        seen.update(shown(done(worker.run(chain("TestLooking"))).outputs))
        graph = changed({**chain("TestEcho"), "9": TRIM}, "1", text=["9", 0])
        assert shown(done(worker.run(graph)).outputs) == ["shouted"]
    assert len(seen) == 1
    assert seen.pop().endswith("True, True)")


def test_the_catalogue_is_made_anew_where_a_pack_has_changed(starts: Starts) -> None:
    code = LOOKING.replace('"TestLooking"', '"TestRenamed"')
    starts.pack("looking", LOOKING)
    starts.again()
    written = Path(starts.ready.catalogue).stat().st_mtime_ns
    starts.again()
    assert Path(starts.ready.catalogue).stat().st_mtime_ns == written
    starts.pack("looking", code)
    worker = starts.again()
    assert "TestRenamed" in starts.catalogue()["nodes"]
    assert "TestLooking" not in starts.catalogue()["nodes"]
    assert "TestLooking" in failed(worker.run(chain("TestLooking"))).error.message


def test_what_was_left_is_done_in_idle_time(starts: Starts) -> None:
    starts.again()
    (starts.base / "models" / "loras" / "new.safetensors").touch()
    worker = starts.again()
    before = Path(starts.ready.catalogue).stat().st_mtime_ns
    wait_until(lambda: worker.process.poll() or Path(starts.ready.catalogue).stat().st_mtime_ns != before)
    assert "new.safetensors" in json.dumps(starts.catalogue()["nodes"]["LoraLoader"])
