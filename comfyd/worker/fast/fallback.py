"""How a fast job ends whose model cannot be run in fast mode."""

import comfy.model_management


class FellBack(comfy.model_management.InterruptProcessingException):  # type: ignore[misc]
    """Raised out of the node that executes; an interrupt, which the engine and node packs let pass."""
