"""Modules that wait: executed once, at the first question, whoever asks and in whatever way."""

import importlib
import random
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from comfyd.worker import deferral


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package ``comfy.ldm`` and a library ``kornia`` made for the test, whose modules count their executions."""
    count = "import builtins\nbuiltins.executed.append(__name__)\n"
    (tmp_path / "comfy" / "ldm").mkdir(parents=True)
    (tmp_path / "comfy" / "ldm" / "model.py").write_text(count + "class Model: pass\nvalue = 1\n")
    (tmp_path / "comfy" / "ldm" / "other.py").write_text(count + "import comfy.ldm.model\nBase = comfy.ldm.model.Model\n")
    (tmp_path / "comfy" / "ldm" / "broken.py").write_text(count + "raise OSError('no such library')\n")
    (tmp_path / "kornia").mkdir()
    (tmp_path / "kornia" / "__init__.py").write_text(count + "from .color import red\n")
    (tmp_path / "kornia" / "color.py").write_text(count + "red = 'red'\n")
    path = list(sys.meta_path)
    real = {name: sys.modules.pop(name) for name in list(sys.modules) if name.split(".")[0] in ("comfy", "kornia")}
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("builtins.executed", [], raising=False)
    yield tmp_path
    sys.meta_path[:] = path
    for name in [name for name in sys.modules if name.split(".")[0] in ("comfy", "kornia")]:
        del sys.modules[name]
    sys.modules.update(real)


NAMES = ["comfy.ldm.model", "comfy.ldm.other", "comfy.ldm.broken", "kornia"]


def executed() -> list[str]:
    import builtins

    return list(builtins.executed)  # type: ignore[attr-defined]


@pytest.fixture
def waits(package: Path) -> deferral.Deferral:
    return deferral.Deferral(NAMES)


def test_a_module_is_executed_when_something_of_it_is_asked_for(waits: deferral.Deferral) -> None:
    with waits.active():
        import comfy.ldm.model
        import comfy.ldm.other
    assert executed() == []
    assert comfy.ldm.model.__name__ == "comfy.ldm.model"
    assert comfy.ldm.model.__file__.endswith("model.py")
    assert executed() == []
    assert comfy.ldm.other.Base is comfy.ldm.model.Model
    assert executed() == ["comfy.ldm.other", "comfy.ldm.model"]
    assert type(comfy.ldm.model) is type(sys)
    assert comfy.ldm.model.__spec__.loader is comfy.ldm.model.__loader__
    assert deferral.waiting() == []


def test_from_import_executes(waits: deferral.Deferral) -> None:
    with waits.active():
        from comfy.ldm.other import Base
    assert Base.__module__ == "comfy.ldm.model"
    assert executed() == ["comfy.ldm.other", "comfy.ldm.model"]


def test_a_package_that_waits_is_executed_once_by_the_import_of_its_module(waits: deferral.Deferral) -> None:
    with waits.active():
        import kornia
    assert executed() == []
    import kornia.color

    assert executed() == ["kornia", "kornia.color"]
    assert kornia.color is sys.modules["kornia.color"]
    assert kornia.color.__spec__.loader is kornia.color.__loader__
    assert importlib.reload(kornia.color) is kornia.color
    assert executed() == ["kornia", "kornia.color", "kornia.color"]


def test_a_module_of_a_waiting_package_may_refuse_attributes(package: Path, waits: deferral.Deferral) -> None:
    refuses = """
import sys, types
class Refusing(types.ModuleType):
    def __setattr__(self, name, value):
        raise AttributeError(name)
red = 'red'
sys.modules[__name__].__class__ = Refusing
"""
    (package / "kornia" / "color.py").write_text(refuses)
    with waits.active():
        import kornia
    import kornia.color

    assert kornia.color.red == kornia.red == "red"
    assert kornia.color.__spec__.name == "kornia.color"


def test_what_is_set_on_a_module_stays(waits: deferral.Deferral) -> None:
    with waits.active():
        import comfy.ldm.model
    comfy.ldm.model.value = 2
    assert comfy.ldm.model.value == 2
    assert vars(comfy.ldm.model)["value"] == 2


def test_a_module_that_fails_fails_again(waits: deferral.Deferral) -> None:
    with waits.active():
        import comfy.ldm.broken
    for _ in range(2):
        with pytest.raises(OSError, match="no such library"):
            _ = comfy.ldm.broken.value
    assert deferral.waiting() == ["comfy.ldm.broken"]


def test_what_cannot_come_first_comes_after_the_others(package: Path, waits: deferral.Deferral) -> None:
    (package / "comfy" / "ldm" / "model.py").write_text("from comfy.ldm.other import Base\n")
    (package / "comfy" / "ldm" / "other.py").write_text("import comfy.ldm.model\nBase = 1\nof = comfy.ldm.model.Base\n")
    with waits.active():
        import comfy.ldm.broken
        import comfy.ldm.model
        import comfy.ldm.other
    assert comfy.ldm.model.Base == 1
    assert comfy.ldm.other.of == 1
    assert deferral.waiting() == ["comfy.ldm.broken"]


def test_imports_elsewhere_are_ordinary_ones(waits: deferral.Deferral) -> None:
    import comfy.ldm.model  # noqa: F401

    assert executed() == ["comfy.ldm.model"]
    assert "comfy.ldm.model" in deferral.imported()
    assert "comfy.ldm.other" not in deferral.imported()


def test_nobody_sees_half_a_module(package: Path, waits: deferral.Deferral, monkeypatch: pytest.MonkeyPatch) -> None:
    slow = "import builtins\nbuiltins.begun.set()\nbuiltins.go.wait(30)\nvalue = 1\n"
    (package / "comfy" / "ldm" / "model.py").write_text(slow)
    begun, go, seen = threading.Event(), threading.Event(), []
    monkeypatch.setattr("builtins.begun", begun, raising=False)
    monkeypatch.setattr("builtins.go", go, raising=False)
    with waits.active():
        import comfy.ldm.model
    threads = [threading.Thread(target=lambda: seen.append(comfy.ldm.model.value)) for _ in range(2)]
    for thread in threads:
        thread.start()
        begun.wait(30)
    go.set()
    for thread in threads:
        thread.join()
    assert seen == [1, 1]


def test_a_job_s_random_numbers_are_its_own(package: Path, waits: deferral.Deferral) -> None:
    (package / "comfy" / "ldm" / "model.py").write_text("import random\nrandom.seed(1)\nvalue = random.random()\n")
    with waits.active():
        import comfy.ldm.model
    random.seed(7)
    expected = random.random()
    random.seed(7)
    assert comfy.ldm.model.value
    assert random.random() == expected


def test_the_module_imports_nothing_heavy() -> None:
    code = "import sys, comfyd.worker.deferral; print('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"
