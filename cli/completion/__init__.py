"""What could stand at the cursor: commands, options, workflows, parameters, values. Pure but for ``known``, which reads files."""

from .candidate import Candidate
from .context import Context
from .line import candidates, for_words

__all__ = ["Candidate", "Context", "candidates", "for_words"]
