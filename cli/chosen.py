"""``--comfyui PATH``: the checkout for a daemon that is started, and a refusal where one runs with another."""

from pathlib import Path

from msgspec.structs import replace

from comfyd.client import Client
from comfyd.errors import ComfydError, UsageError
from comfyd.protocol import EngineInfo, EngineState, StatusReply, WaitReady

from .terminal import Terminal


def choose(terminal: Terminal, path: str) -> None:
    """From now on the daemon is to have this ComfyUI, relative to where the user is; raises EngineNotFound."""
    from comfyd.engine.discovery import checked

    chosen = checked(Path(path).expanduser().resolve(), "give --comfyui the directory that holds ComfyUI's main.py")
    terminal.comfyui = chosen
    terminal.config = replace(terminal.config, comfyui=str(chosen))


def require(client: Client, chosen: Path) -> None:
    """Raises UsageError where the daemon that runs has another ComfyUI, or none."""
    fix = f"comfyd restart --comfyui {chosen} changes it."
    try:
        engine = _settled(client)
    except ComfydError as error:
        raise UsageError(f"The daemon that runs has no ComfyUI that starts ({error.message.rstrip('.')}); {fix}") from error
    if not engine.comfyui or Path(engine.comfyui).resolve() != chosen.resolve():
        raise UsageError(f"A daemon runs already, with {engine.comfyui or 'the ComfyUI that it installs'}; {fix}")


def _settled(client: Client) -> EngineInfo:
    """The engine as soon as the daemon knows which ComfyUI it is."""
    for message in client.stream(WaitReady()):
        assert isinstance(message, EngineState | StatusReply)
        engine = message.engine
        if engine.comfyui or engine.state == "installing":
            break
    return engine
