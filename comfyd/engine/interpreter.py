"""Which Python runs the worker, and what that Python has; asks it in a process of its own instead of importing anything here."""

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from comfyd.errors import EngineNotFound

OLDEST = (3, 11)
WORKER_MODULES = {"zmq": "pyzmq", "msgspec": "msgspec"}
"""What the worker imports beyond ComfyUI's own requirements: module -> distribution."""
FASTER = {"isal": "isal", "zlib_ng": "zlib-ng"}
"""What it does without where it is lacking, at the price of slower pictures."""

_PLACES = (
    "venv/bin/python",
    ".venv/bin/python",
    "venv/Scripts/python.exe",
    ".venv/Scripts/python.exe",
    "python_embeded/python.exe",
    "../python_embeded/python.exe",
)
_PROBE_SECONDS = 60
_PROBE = """
import json, sys
facts = {"version": sys.version_info[:2]}
if sys.version_info >= (3, 11):
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec
    try:
        facts["torch"] = version("torch")
    except PackageNotFoundError:
        facts["torch"] = "of unknown version" if find_spec("torch") else ""
    facts["modules"] = [name for name in sys.argv[1:] if find_spec(name)]
print(json.dumps(facts))
"""


@dataclass(frozen=True)
class Interpreter:
    """What an interpreter said of itself."""

    path: Path
    version: tuple[int, int]
    torch: str
    """Version of torch, or "" where it has none."""
    modules: frozenset[str]

    @property
    def missing(self) -> list[str]:
        """Distributions that the worker needs and this interpreter lacks."""
        return self._lacking(WORKER_MODULES)

    @property
    def wanted(self) -> list[str]:
        """The same, with those that would make it faster."""
        return self._lacking(WORKER_MODULES | FASTER)

    def _lacking(self, modules: dict[str, str]) -> list[str]:
        return [name for module, name in modules.items() if module not in self.modules]


def own_interpreter(comfyui: Path) -> Path | None:
    """The interpreter that lies in, or in the portable package beside, a checkout."""
    return next((comfyui / place for place in _PLACES if (comfyui / place).is_file()), None)


def choose(configured: str | None, comfyui: Path | None) -> Path:
    """The configured interpreter, else the checkout's own, else this one; raises EngineNotFound."""
    if configured:
        found = shutil.which(Path(configured).expanduser())
        if found is None:
            raise EngineNotFound(f"There is no interpreter {configured}; set `python` (COMFYD_PYTHON) to one that exists.")
        return Path(found).absolute()
    return (comfyui and own_interpreter(comfyui)) or Path(sys.executable)


def probe(python: Path) -> Interpreter:
    """Ask an interpreter for its version and packages (some 50 ms); raises EngineNotFound when it does not answer."""
    # -c puts the working directory first on sys.path: the root is one that nobody else can write to.
    command = [str(python), "-c", _PROBE, *WORKER_MODULES, *FASTER, "pip"]
    try:
        done = subprocess.run(
            command, cwd=python.anchor, stdin=subprocess.DEVNULL, capture_output=True, timeout=_PROBE_SECONDS, check=True
        )
        facts = json.loads(done.stdout.splitlines()[-1])
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise EngineNotFound(
            f"{python} does not run; set `python` (COMFYD_PYTHON) to the interpreter that runs ComfyUI.", str(error)
        ) from error
    major, minor = facts["version"]
    return Interpreter(python, (major, minor), facts.get("torch", ""), frozenset(facts.get("modules", ())))


def check(python: Interpreter, comfyui: Path | None) -> None:
    """Refuse, with EngineNotFound, an interpreter that is too old or cannot import torch."""
    if python.version < OLDEST:
        version, oldest = (".".join(map(str, numbers)) for numbers in (python.version, OLDEST))
        raise EngineNotFound(
            f"{python.path} is Python {version}, and comfyd's worker needs {oldest} or newer; "
            f"set `python` (COMFYD_PYTHON) to a newer one that has ComfyUI's requirements."
        )
    if not python.torch:
        raise EngineNotFound(_without_torch(python.path, comfyui))


def _without_torch(python: Path, comfyui: Path | None) -> str:
    if comfyui is None or python == Path(sys.executable):
        return f"PyTorch is not installed beside comfyd; run `{sys.executable} -m pip install 'comfyd[engine]'`."
    return f"{python} has no PyTorch; run `{python} -m pip install -r {comfyui / 'requirements.txt'}`."
