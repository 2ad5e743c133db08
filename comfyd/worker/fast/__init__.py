"""Fast mode: a model's repeated blocks compiled, its convolutions in the order the GPU likes, attention by the quickest kernel.

A fast job's models are its own (content keys name the mode), so that nothing done to them can reach an exact job.
"""

from .available import granted

__all__ = ["granted"]
