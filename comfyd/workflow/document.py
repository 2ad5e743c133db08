"""A workflow as somebody gave it, before it meets a catalogue."""

from typing import Any, TypeVar

import msgspec

from comfyd.protocol import Graph, Work

Asked = TypeVar("Asked", bound=Work)


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """At least one of the two forms is there. Where both are, the API form runs: it is what made the picture."""

    name: str
    """What people call it: a file's stem, a stored or built-in name, ``stdin`` or ``literal``."""
    api: Graph | None = None
    """The API graph, every entry of which is a node."""
    ui: dict[str, Any] | None = None
    """What ComfyUI's editor saves, unconverted."""
    aliases: dict[str, str] = {}
    """Names its user gave to parameters: address by name."""
    note: str = ""
    """What else its name could have meant, and how to say that; empty where nothing."""

    def request(self, kind: type[Asked], **more: Any) -> Asked:
        """The request to run it, or to plan that; ``more`` is the rest of the request's fields, the values among them."""
        return kind(api=self.api, ui=self.ui, workflow=self.name, aliases=self.aliases, **more)
