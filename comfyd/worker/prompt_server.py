"""A stand-in for ComfyUI's PromptServer: nodes find the attributes they touch, nothing listens."""

import asyncio
from typing import Any

import comfy.model_management
import comfy.utils
import server
from aiohttp import web
from app.node_replace_manager import NodeReplaceManager
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context


class PromptServerStandIn(server.PromptServer):  # type: ignore[misc]
    """An instance of the class nodes expect, without its web application."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.routes = web.RouteTableDef()
        self.app = web.Application()
        self.supports = ["custom_nodes_from_web"]
        self.sockets: dict[str, Any] = {}
        self.sockets_metadata: dict[str, Any] = {}
        self.messages: Any = None
        self.number = 0
        self.port = 0
        self.address = "127.0.0.1"
        self.client_id: str | None = None
        self.last_node_id: str | None = None
        self.last_prompt_id: str | None = None
        self.on_prompt_handlers: list[Any] = []
        self.node_replace_manager = NodeReplaceManager()
        self.prompt_queue = _NoQueue()

    def send_sync(self, event: Any, data: Any, sid: str | None = None) -> None:
        """Messages for a browser; a job's own events come from its progress registry instead."""

    def send_progress_text(self, text: Any, node_id: str, sid: str | None = None) -> None:
        """A browser's text widget."""

    def queue_updated(self) -> None:
        """A browser's queue counter."""


class _NoQueue:
    """The queue's read side, empty: nodes that look at it see no other prompt."""

    currently_running: dict[int, Any] = {}  # noqa: RUF012 - ComfyUI's own name and form

    def get_tasks_remaining(self) -> int:
        return 0

    def get_current_queue(self) -> tuple[list[Any], list[Any]]:
        return [], []


def install() -> PromptServerStandIn:
    """Puts the stand-in and the progress hook (main.py: ``hijack_progress``) in place."""
    instance = PromptServerStandIn()
    server.PromptServer.instance = instance
    comfy.utils.set_progress_bar_global_hook(_progress)
    return instance


def _progress(value: float, total: float, preview: Any, prompt_id: str | None = None, node_id: str | None = None) -> None:
    comfy.model_management.throw_exception_if_processing_interrupted()
    context = get_executing_context()
    node = node_id or (context.node_id if context else None)
    if node is not None:
        get_progress_state().update_progress(node, value, total, preview)
