"""One frozen object from one TOML file and the environment; unknown keys are refused; paths follow XDG.

Read once at the entry point and passed down. ``COMFYD_HOME`` puts everything under one directory.
"""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from .errors import ConfigError

_SOCKET_PATH_LIMIT = 100  # sun_path holds 108 bytes with its terminator, less on macOS


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Where comfyd keeps what: all absolute."""

    config_file: Path
    data: Path
    """Managed ComfyUI, demo checkpoint."""
    state: Path
    """Journal, log, REPL history."""
    cache: Path
    """Node catalogues; may be deleted at any time."""
    run: Path
    """Sockets and pid file, mode 0700."""

    @property
    def socket(self) -> Path:
        return self.run / "comfyd.sock"

    @property
    def address(self) -> str:
        return f"ipc://{self.socket}"

    @property
    def pid_file(self) -> Path:
        return self.run / "comfyd.pid"

    @property
    def journal(self) -> Path:
        return self.state / "journal.sqlite"

    @property
    def receipts(self) -> Path:
        """What unfinished jobs have published, a file for each."""
        return self.state / "receipts"

    @property
    def workflows(self) -> Path:
        """The named workflows, a directory for each."""
        return self.data / "workflows"

    @property
    def log(self) -> Path:
        return self.state / "comfyd.log"


Count = Annotated[int, msgspec.Meta(ge=0)]
AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=10**9)]
GiB = Annotated[float, msgspec.Meta(ge=0, le=10**6)]
MiB = GiB


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every setting with its default; a field ``x`` is the key ``x`` of config.toml and the variable ``COMFYD_X``."""

    comfyui: str | None = None
    """A ComfyUI checkout of the user's own; empty: look in the usual places, else the managed one."""
    python: str | None = None
    """The worker's interpreter; empty: the checkout's own virtual environment, else this one."""
    engine_args: list[str] = []
    """Further arguments for ComfyUI (its own command line), for example ["--cpu"]."""
    mode: Literal["exact", "fast"] = "exact"
    """How jobs are made that do not say it: exact (ComfyUI's own bits) or fast (compiled kernels, at least 40 dB)."""
    eager_imports: bool = False
    """Whether a worker imports everything at its start, as ComfyUI does, instead of what nodes need when they need it."""
    max_running: AtLeastOne = 4
    """Jobs admitted at once; they advance step by step in turn."""
    max_queue: Count = 512
    """Jobs that may wait; one more is refused."""
    cancel_grace: Seconds = 20.0
    """Seconds a cancelled job has to end politely before its worker is replaced."""
    progress_deadline: Seconds = 1800.0
    """Seconds without a sign of life of any running job before the worker is replaced; 0: for ever."""
    worker_restarts: Count = 3
    """Deaths of the worker within five minutes before the daemon gives up until the next command."""
    attempts: AtLeastOne = 2
    """How often a job is started when its worker or daemon dies under it."""
    cache_ram: GiB = 0.0
    """GiB of node results kept in RAM; 0: an eighth of the machine's."""
    cache_vram: GiB = 0.0
    """GiB of node results kept in VRAM; 0: a sixteenth of the device's."""
    graphs: bool = True
    """Whether model calls become CUDA graphs on NVIDIA GPUs, which give the same pictures sooner."""
    graphs_vram: GiB = 0.0
    """GiB of VRAM that graphs may hold; 0: a quarter of the device's."""
    models_ram: GiB = 0.0
    """GiB of models kept resident; 0: six tenths of the machine's RAM."""
    png: Literal["fast", "small", "comfyui"] | Annotated[int, msgspec.Meta(ge=0, le=9)] = "fast"
    """How pictures are compressed: fast, small (a third of the speed of ComfyUI's), as ComfyUI does, or Pillow's level."""
    theme: Literal["auto", "dark", "light"] = "auto"
    """Colours of the prompt: dark, light, or what the terminal says of itself."""
    preview: Literal["auto", "kitty", "iterm2", "sixel", "blocks", "off"] = "auto"
    """How pictures are shown on a terminal: auto finds out; kitty, iterm2, sixel; blocks of cells; off shows none."""
    history: Count = 10000
    """Ended jobs the journal keeps."""
    log_size: MiB = 10.0
    """MiB of the log before it is put aside and a new one begun; 0: never."""
    log_files: Count = 3
    """How many logs that were put aside are kept."""
    log_json: bool = False
    """Whether the log is a JSON object per line, with the job's id, instead of text."""
    auto_install: bool = True
    """Whether the first start may download the managed ComfyUI."""


def paths(env: Mapping[str, str] | None = None) -> Paths:
    """XDG paths, or everything under COMFYD_HOME."""
    env = os.environ if env is None else env
    if home := env.get("COMFYD_HOME"):
        root = Path(home).expanduser().absolute()
        return Paths(
            config_file=Path(env.get("COMFYD_CONFIG") or root / "config.toml"),
            data=root / "data",
            state=root / "state",
            cache=root / "cache",
            run=_short(root / "run"),
        )
    user = Path(env.get("HOME") or Path.home())
    runtime = env.get("XDG_RUNTIME_DIR")
    run = Path(runtime) / "comfyd" if runtime else _temporary() / f"comfyd-{os.getuid()}"
    return Paths(
        config_file=Path(env.get("COMFYD_CONFIG") or Path(env.get("XDG_CONFIG_HOME") or user / ".config") / "comfyd/config.toml"),
        data=Path(env.get("XDG_DATA_HOME") or user / ".local/share") / "comfyd",
        state=Path(env.get("XDG_STATE_HOME") or user / ".local/state") / "comfyd",
        cache=Path(env.get("XDG_CACHE_HOME") or user / ".cache") / "comfyd",
        run=_short(run),
    )


def _short(run: Path) -> Path:
    """A directory short enough for a unix socket: the one given, or a hashed name in the temporary directory."""
    if len(os.fsencode(run)) + len("/worker-00.sock") < _SOCKET_PATH_LIMIT:
        return run
    import hashlib  # as tempfile below: few need it

    digest = hashlib.sha256(os.fsencode(run)).hexdigest()[:12]
    return _temporary() / f"comfyd-{os.getuid()}-{digest}"


def _temporary() -> Path:
    import tempfile  # few need it, and its import takes longer than that of the rest of this module

    return Path(tempfile.gettempdir())


def load(where: Paths | None = None, env: Mapping[str, str] | None = None, given: Mapping[str, object] | None = None) -> Config:
    """Defaults, then the file, then ``COMFYD_*`` variables, then what a program has ``given``; raises ConfigError."""
    env = os.environ if env is None else env
    where = where or paths(env)
    values = read_file(where.config_file) | _from_environment(env) | dict(given or {})
    try:
        return msgspec.convert(values, Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_explained(str(error), values, where, env)) from error


def _explained(problem: str, values: Mapping[str, object], where: Paths, env: Mapping[str, str]) -> str:
    """What is wrong with which setting, and where it was set."""
    for key in values:
        if key not in Config.__struct_fields__:
            from difflib import get_close_matches

            near = get_close_matches(key, Config.__struct_fields__, n=1)
            fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(Config.__struct_fields__)}."
            return f"{where.config_file} has an unknown setting {key!r}; {fix}"
    what, _, place = problem.partition(" - at `$.")
    key = place.partition("`")[0].partition("[")[0]
    variable = f"COMFYD_{key.upper()}"
    source = f"The variable {variable}" if env.get(variable) else f"{key} in {where.config_file}"
    return f"{source} has a wrong value ({what[0].lower()}{what[1:]}); correct or remove it."


def read_file(file: Path) -> dict[str, object]:
    """What the file sets, unchecked; raises ConfigError where it is no TOML."""
    try:
        with file.open("rb") as stream:
            import tomllib  # only those who have a file pay for it

            return tomllib.load(stream)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigError(f"{file} cannot be read ({error}); correct it or remove it.") from error


def _from_environment(env: Mapping[str, str]) -> dict[str, object]:
    values: dict[str, object] = {}
    for field in Config.__struct_fields__:
        text = env.get(f"COMFYD_{field.upper()}")
        if text:
            values[field] = _split(text) if field == "engine_args" else text
    return values


def _split(text: str) -> list[str]:
    """Arguments as a shell would see them."""
    import shlex

    try:
        return shlex.split(text)
    except ValueError as error:
        raise ConfigError("The variable COMFYD_ENGINE_ARGS ends inside a quote; close it.") from error


def private_directory(path: Path) -> Path:
    """Create a directory only its owner can enter; raises ConfigError when somebody else owns it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if sys.platform != "win32" and status.st_uid != os.getuid():
        raise ConfigError(f"{path} belongs to another user; set XDG_RUNTIME_DIR or COMFYD_HOME to a directory of your own.")
    if status.st_mode & 0o077:
        path.chmod(0o700)
    return path


_HANDED_ON = "COMFYD_HANDED_ON"


def hand_on(config: Config, where: Paths) -> dict[str, str]:
    """Environment variables with which another process of comfyd has exactly this configuration and these paths."""
    text = {name: str(getattr(where, name)) for name in Paths.__struct_fields__}
    return {_HANDED_ON: msgspec.json.encode({"config": config, "paths": text}).decode()}


def received() -> tuple[Config, Paths]:
    """What another process handed on, which is then forgotten; else what file and environment say. Raises ConfigError."""
    handed = os.environ.pop(_HANDED_ON, None)
    if handed is None:
        return load(), paths()
    values = msgspec.json.decode(handed)
    where = Paths(**{name: Path(text) for name, text in values["paths"].items()})
    return msgspec.convert(values["config"], Config), where
