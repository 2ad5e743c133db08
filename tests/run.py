"""Makes the tests' own environment and runs everything that needs no GPU: `python3 tests/run.py [arguments for pytest]`.

The environment is .venv-test; it is made once and used again until pyproject.toml, the constraints, the interpreter or the
checkout's place change.
"""

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
ROOT = Path(__file__).resolve().parents[1]
CONSTRAINTS = ROOT / "tests" / "constraints.txt"
VENV = ROOT / ".venv-test"
READY = VENV / "ready"
PYTHON = VENV / "bin" / "python"


def main() -> int:
    if sys.version_info < OLDEST:
        print(f"comfyd needs Python 3.11 or newer, and this is {sys.version.split()[0]}; run tests/run.py with a newer one.")
        return 2
    if not is_ready():
        prepare()
    checks = (
        [PYTHON, "-m", "ruff", "check"],
        [PYTHON, "-m", "ruff", "format", "--check"],
        [PYTHON, "-m", "mypy"],
        [PYTHON, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-m", "not gpu", *sys.argv[1:]],
    )
    failed = [command[2] for command in checks if not run(command)]
    if failed:
        print("Failed:", ", ".join(map(str, failed)))
    return 1 if failed else 0


def fingerprint() -> str:
    """What the environment was made from."""
    inputs = (f"{sys.version} {ROOT}", (ROOT / "pyproject.toml").read_text(), CONSTRAINTS.read_text())
    return hashlib.sha256("\n".join(inputs).encode()).hexdigest()


def is_ready() -> bool:
    return READY.is_file() and READY.read_text() == fingerprint()


def prepare() -> None:
    """Make or complete the environment; what an interrupted run had installed is kept."""
    READY.unlink(missing_ok=True)
    if not made_by_this_interpreter():
        shutil.rmtree(VENV, ignore_errors=True)
        must([sys.executable, "-m", "venv", VENV], "on Debian, `apt-get install python3-venv`")
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    network = "check the network and run it again"
    must([*pip, "pip>=24.1"], network)
    must([*pip, "--constraint", CONSTRAINTS, "--editable", f"{ROOT}[engine,test]"], network)
    READY.write_text(fingerprint())


def made_by_this_interpreter() -> bool:
    try:
        answer = subprocess.run([PYTHON, "-c", "import sys, pip; print(sys.version)"], capture_output=True, text=True)
    except OSError:
        return False
    return answer.stdout.strip() == sys.version


def run(command: list[str | Path]) -> bool:
    print("$", *(Path(part).name if isinstance(part, Path) else part for part in command), flush=True)
    return subprocess.run(command, cwd=ROOT).returncode == 0


def must(command: list[str | Path], fix: str) -> None:
    if not run(command):
        sys.exit(f"The tests' environment could not be made; {fix}.")


if __name__ == "__main__":
    sys.exit(main())
