"""comfyd for Python programs: a connection to the daemon, jobs with their events, results with their pictures.

    import comfyd

    with comfyd.connect() as comfy:
        result = comfy.run("demo", prompt="a red fox", seed=42)
        result.files                    # [PosixPath('/.../demo_00001_.png')]
        result.images[0].bytes()
        for result in comfy.sweep("demo", seed=range(1, 9), cfg=[4, 6, 8]):
            result.overrides            # {'5.seed': 1, '5.cfg': 4.0}

Everything raises ``comfyd.errors.ComfydError``, whose subclasses have stable ``code``\\ s. Imports neither torch nor asyncio.
"""

from .connection import Connection, connect
from .job import Job
from .result import Image, Result

__all__ = ["Connection", "Image", "Job", "Result", "connect"]
