"""Fast mode: a model's repeated blocks compiled, its convolutions in the order the GPU likes, attention by the quickest kernel.

A fast job's models are its own (content keys name the mode), so that nothing done to them can reach an exact job. What is
installed in a model is its own ``forward`` and those of its blocks, so that a graph of a call holds the compiled kernels.
"""
