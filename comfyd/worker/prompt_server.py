"""A stand-in for ComfyUI's PromptServer: nodes find the attributes they touch, nothing listens."""

import asyncio
import threading
from typing import Any

import comfy.model_management
import comfy.utils
import server
from aiohttp import web
from api_server.routes.internal.internal_routes import InternalRoutes  # type: ignore[import-not-found]
from app.custom_node_manager import CustomNodeManager
from app.model_manager import ModelFileManager
from app.node_replace_manager import NodeReplaceManager
from app.subgraph_manager import SubgraphManager
from app.user_manager import UserManager
from comfy_execution.progress import get_progress_state
from comfy_execution.utils import get_executing_context

from .job import current_job


class PromptServerStandIn(server.PromptServer):  # type: ignore[misc]
    """An instance of the class nodes expect, without its web application."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.routes = web.RouteTableDef()
        self.app = web.Application()
        self.client_session: Any = None
        self.user_manager = UserManager()
        self.model_file_manager = ModelFileManager()
        self.custom_node_manager = CustomNodeManager()
        self.subgraph_manager = SubgraphManager()
        self.internal_routes = InternalRoutes(self)
        self.web_root = ""
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
        """Messages for a browser; a job's own events come from its progress registry, all but one.

        A node that is blocked with a message for people has no other way to tell it (execution.py: ``execution_block_cb``).
        """
        if event == "execution_error" and (job := current_job()):
            job.blocked(data["node_id"], data["exception_message"])

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
    # Nodes hand coroutines to the server's loop from their own threads and wait for them.
    threading.Thread(target=instance.loop.run_forever, name="prompt server", daemon=True).start()
    comfy.utils.set_progress_bar_global_hook(_progress)
    return instance


def _progress(value: float, total: float, preview: Any, prompt_id: str | None = None, node_id: str | None = None) -> None:
    context, registry = get_executing_context(), get_progress_state()
    job = prompt_id or (context.prompt_id if context else None)
    if job not in (None, registry.prompt_id):
        return  # a thread of a node that waits: what is in place, the interrupt flag too, is another job's
    comfy.model_management.throw_exception_if_processing_interrupted()
    node = node_id or (context.node_id if context else None)
    if node is not None:
        registry.update_progress(node, value, total, preview)
