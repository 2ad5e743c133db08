"""What the figures were measured on."""

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil


def describe(comfyui: Path) -> dict[str, Any]:
    """GPU with driver, processor, RAM, versions."""
    import torch

    version = (comfyui / "comfyui_version.py").read_text().split('"')[1]
    return {
        "gpu": _gpu(),
        "processor": f"{os.cpu_count()} x {_processor()}",
        "ram_gb": round(psutil.virtual_memory().total / 1e9),
        "ram_free_gb": round(psutil.virtual_memory().available / 1e9),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "comfyui": version,
        "arguments": sys.argv[1:],
    }


def _gpu() -> str:
    query = ["nvidia-smi", "--query-gpu=name,memory.total,driver_version,clocks.sm,power.draw", "--format=csv,noheader"]
    try:
        return subprocess.run(query, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
