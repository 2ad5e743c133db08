"""Fast mode: repeated blocks compiled, convolutions in the order the device likes, attention by the quickest kernel.

On a CPU decoders run in bfloat16 where it has that, and matrix products by oneDNN. A fast job's models are its own (content keys
name the mode), so that nothing done to them can reach an exact job. What is installed in a model is its own ``forward`` and those
of its blocks, so that a graph of a call holds the compiled kernels.
"""
