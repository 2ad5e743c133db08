"""The workflow inside a media file: its API form, its UI form or both, among all the texts that the file carries."""

import re
from importlib import import_module
from typing import Any, BinaryIO

from comfyd.errors import NoWorkflow, Refused
from comfyd.workflow.document import Document
from comfyd.workflow.form import is_ui, require_nodes
from comfyd.workflow.sources.text import lenient, require_portable

from .window import Damaged, Window

_KEYS = ("prompt", "workflow")
_PREFIX = re.compile(r"\s*(prompt|workflow)\s*:", re.IGNORECASE)
_PARAMETERS = re.compile(r"^Steps: \d+, ", re.MULTILINE)
"""The line that A1111's web UI, and those that follow it, write below the prompts."""


def document(file: BinaryIO, reader: str, name: str, called: str) -> Document:
    """The workflow in a seekable file of this kind.

    Raises NoWorkflow for a file without one, and what is wrong with the workflow where nothing better is in the file.
    """
    found = _Found(called)
    damage = ""
    try:
        for key, text in import_module(f".{reader}", __package__).texts(Window.of(file)):
            found.take(key, text)
            if found.api is not None and found.ui is not None:
                break
    except Damaged as error:
        damage = str(error)
    if found.api is None and found.ui is None:
        raise found.reason(damage)
    return Document(name=name, api=found.api, ui=found.ui)


class _Found:
    """The first form of each kind that can be used, and why others could not."""

    def __init__(self, called: str) -> None:
        self.api: dict[str, Any] | None = None
        self.ui: dict[str, Any] | None = None
        self._called, self._workflow = called, f"The workflow in {called}"
        self._broken: Refused | None = None
        self._parameters = False

    def take(self, key: str, text: str) -> None:
        """Look for a form in a text."""
        if key.lower() in _KEYS:
            self._value(self._json(text))
        elif prefix := _PREFIX.match(text):
            self._value(self._json(text[prefix.end() :]))
        elif any(f'"{name}"' in text for name in (*_KEYS, "class_type", "nodes")):
            value = self._json(text)
            if not self._bundle(value) and _is_form(value):
                self._keep(value)
        self._parameters = self._parameters or bool(_PARAMETERS.search(text[-4000:]))

    def _json(self, text: Any) -> Any:
        """The value in a text; whatever is no text already is one."""
        try:
            return lenient(text, self._workflow) if isinstance(text, str) else text
        except Refused as error:
            self._broken = self._broken or error
            return None

    def _value(self, value: Any) -> None:
        """What was called prompt or workflow; where it is a mere text, it is what another program was asked to draw."""
        if isinstance(value, dict) and (is_ui(value) or not self._bundle(value)):
            self._keep(value)

    def _bundle(self, value: Any) -> bool:
        """The forms in an object of both, such as a video's comment; each may be a text of its own."""
        parts = [self._json(value.get(key)) for key in _KEYS] if isinstance(value, dict) else []
        forms = [part for part in parts if isinstance(part, dict) and "class_type" not in part]
        for form in forms:
            self._keep(form)
        return bool(forms)

    def _keep(self, form: Any) -> None:
        """What a form is shows in itself: writers have mixed up the two names."""
        try:
            require_portable(form, self._workflow)
            if is_ui(form):
                self.ui = self.ui or form
            else:
                self.api = self.api or require_nodes(form, self._workflow)
        except Refused as error:
            self._broken = self._broken or error

    def reason(self, damage: str) -> Refused:
        """Why there is no workflow."""
        if self._broken is not None:
            return self._broken
        if damage:
            return NoWorkflow(f"{self._called} is damaged ({damage}) and no workflow can be read from it; copy the file anew.")
        if self._parameters:
            return NoWorkflow(
                f"{self._called} carries the generation parameters of another program but no workflow; "
                "ComfyUI's editor can turn them into one, whose export can be given here."
            )
        return NoWorkflow(
            f"{self._called} carries no workflow: it was saved without one, or has lost it on its way; give the original file."
        )


def _is_form(value: Any) -> bool:
    """Whether an object under no telling name is a form: some packs write one as the whole of a comment."""
    nodes = value.values() if isinstance(value, dict) else ()
    return is_ui(value) or (bool(nodes) and all(isinstance(node, dict) and "class_type" in node for node in nodes))
