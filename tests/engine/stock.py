"""Unmodified ComfyUI as a process with its default arguments, asked over HTTP: what bits and loads are compared with."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from comfyd.protocol import Graph

START_TIMEOUT = 120.0


class StockServer:
    """``main.py`` of a ComfyUI tree on a free port; its front end is an empty page."""

    def __init__(
        self, comfyui: Path, base: Path, extra_paths: Path | None = None, arguments: tuple[str, ...] = ("--cpu",)
    ) -> None:
        front_end = base / "front-end"
        front_end.mkdir(parents=True, exist_ok=True)
        (front_end / "index.html").write_text("ok")
        self.output = base / "output"
        with socket.create_server(("127.0.0.1", 0)) as probe:
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "main.py", "--port", str(port), "--front-end-root", str(front_end)]
        command += ["--base-directory", str(base), "--disable-api-nodes", "--disable-all-custom-nodes", *arguments]
        command += ["--extra-model-paths-config", str(extra_paths)] if extra_paths else []
        self.log = base / "stock.log"
        begun = time.perf_counter()
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=comfyui, stdout=log, stderr=log, env=os.environ | {"PYTHONUNBUFFERED": "1"}
            )
        self._wait_until_up()
        self.ready_seconds = time.perf_counter() - begun

    def _wait_until_up(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text(errors="replace")[-4000:])
            try:
                self._get("/system_stats")
                return
            except (urllib.error.URLError, ConnectionError):
                time.sleep(0.02)
        raise TimeoutError(self.log.read_text(errors="replace")[-4000:])

    def run(self, graph: Graph) -> list[Path]:
        """Runs a graph to its end; the files it saved."""
        prompt_id = self._post("/prompt", {"prompt": graph})["prompt_id"]
        while not self._get(f"/history/{prompt_id}"):
            time.sleep(0.002)
        return self.files(prompt_id)

    def files(self, prompt_id: str) -> list[Path]:
        """The files that a prompt which has ended saved."""
        entry = self._get(f"/history/{prompt_id}")[prompt_id]
        if entry["status"]["status_str"] != "success":
            raise RuntimeError(json.dumps(entry["status"])[:4000])
        images = [image for ui in entry["outputs"].values() for image in ui.get("images", [])]
        return [self.output / image["subfolder"] / image["filename"] for image in images]

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=30) as reply:
            return json.load(reply)

    def _post(self, path: str, body: object) -> Any:
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.load(reply)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
