"""Run as a process: what idle time is used for, before and after a job. ``python -m tests.engine.rules.idle COMFYUI``."""

import json
import sys
import threading

sys.path.insert(0, sys.argv[1])
sys.argv[1:] = ["--cpu", "--disable-dynamic-vram"]
import comfy.options  # noqa: E402

comfy.options.enable_args_parsing()
from comfyd.worker import idletime  # noqa: E402


class Rest:
    """The rest of a start, which never ends."""

    left = True
    pieces = 0

    def piece(self) -> None:
        self.pieces += 1


if __name__ == "__main__":
    rest = Rest()
    idle = idletime.IdleTime(rest, None, threading.Condition(), lambda: False)  # type: ignore[arg-type]
    pieces = []
    for action in (lambda: None, idle.worked, lambda: setattr(idletime, "_QUIET", 0.0)):
        action()
        idle.piece()
        pieces.append(rest.pieces)
    print(json.dumps({"left": idle.left, "pieces": pieces}))
