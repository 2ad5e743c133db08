"""CUDA graphs that give eager's bits: a call of a model is captured once and replayed while nothing it depends on has changed."""
