"""What commands print with --json beside the daemon's own messages: one struct for each, which the schema is made from.

The commands write these as plain objects, so that none pays for another's import; a test holds them to the schema.
"""

from typing import Any

import msgspec

from comfyd.config_file import Setting
from comfyd.doctor.finding import Finding
from comfyd.protocol import Graph
from comfyd.workflow.naming.parameter import Parameter


class Answer(msgspec.Struct, frozen=True, kw_only=True, tag_field="type", tag=lambda name: name):
    """Base of the lines of JSON that are no messages of the protocol."""


class Parameters(Answer, frozen=True, kw_only=True):
    """``params`` and, at the prompt, ``show``: the values that can be set."""

    parameters: list[Parameter]


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """A value that was set at the prompt beside the workflow's own."""

    name: str
    address: str
    """``5.seed``; empty where no catalogue tells it."""
    workflow: Any
    now: Any


class Changes(Answer, frozen=True, kw_only=True):
    """``diff`` at the prompt."""

    changes: list[Change]


class Nodes(Answer, frozen=True, kw_only=True):
    """``nodes``: the classes found, as ComfyUI's /object_info tells them, with their ``name`` and ``pack``."""

    nodes: list[dict[str, Any]]


class StoredWorkflow(msgspec.Struct, frozen=True, kw_only=True):
    """A named workflow as ``workflow list`` tells it."""

    name: str
    form: str
    """``API``, ``UI``, ``API + UI``, or empty for a damaged one."""
    nodes: int
    aliases: dict[str, str]
    added: float
    origin: str
    error: str
    """Why it cannot be read; empty where it can."""


class Workflows(Answer, frozen=True, kw_only=True):
    """``workflow list``."""

    workflows: list[StoredWorkflow]


class Workflow(Answer, frozen=True, kw_only=True):
    """``workflow show``: what ``workflow list`` has of one, where it is, and its forms."""

    name: str
    form: str
    nodes: int
    aliases: dict[str, str]
    added: float
    origin: str
    error: str
    path: str
    api: Graph | None
    ui: dict[str, Any] | None


class Config(Answer, frozen=True, kw_only=True):
    """``config show``."""

    file: str
    settings: list[Setting]


class EngineStatus(Answer, frozen=True, kw_only=True):
    """``engine status``."""

    comfyui: str
    version: str
    supported: bool
    managed: bool
    python: str
    python_version: str
    torch: str
    user_directory: str
    size: int


class Doctor(Answer, frozen=True, kw_only=True):
    """``doctor``."""

    healthy: bool
    findings: list[Finding]


ANSWERS = (Parameters, Changes, Nodes, Workflows, Workflow, Config, EngineStatus, Doctor)
