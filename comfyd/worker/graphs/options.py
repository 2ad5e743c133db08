"""``transformer_options`` as a captured call gets them: what changes from step to step cannot be read by accident."""

from typing import Any

from .calls import Refused
from .own import extra

_OF_THE_STEP = frozenset({"sample_sigmas", "uuids", "callbacks"})
"""Other in every run or step; a graph must not depend on them."""
_OUTSIDE = frozenset({"wrappers"})
"""Concern what is around the call."""

_PURE_PATCHES = frozenset(
    {
        ("nodes_freelunch", "FreeU.execute.<locals>.output_block_patch"),
        ("nodes_freelunch", "FreeU_V2.execute.<locals>.output_block_patch"),
        ("nodes_pag", "PerturbedAttentionGuidance.execute.<locals>.perturbed_attention"),
    }
)
"""Patches that are functions of their arguments and of what their node was given."""


class StepBlind(dict[str, Any]):
    """Options in which a look at what belongs to the step ends the capture."""

    def __getitem__(self, name: str) -> Any:
        return super().__getitem__(_allowed(name))

    def __contains__(self, name: object) -> bool:
        return super().__contains__(_allowed(name))

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(_allowed(name), default)

    def pop(self, name: str, *default: Any) -> Any:
        return super().pop(_allowed(name), *default)

    def copy(self) -> "StepBlind":
        return StepBlind(self)


def graphable(options: dict[str, Any]) -> dict[str, Any]:
    """The options that a graph depends on; ``sigmas`` is among them, as a tensor that the graph reads anew."""
    return {name: value for name, value in options.items() if name not in _OF_THE_STEP and name not in _OUTSIDE}


def is_known(value: Any) -> bool:
    """Whether a Python object among the options is a patch of ComfyUI's own extra nodes that is known to be pure."""
    return (extra(str(getattr(value, "__module__", ""))), getattr(value, "__qualname__", "")) in _PURE_PATCHES


def _allowed(name: Any) -> Any:
    if name in _OF_THE_STEP:
        raise Refused(f"it reads {name}, which belongs to one run")
    return name
