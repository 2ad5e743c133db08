"""The node classes of the engine in use: the catalogue, one class parsed, what fits what, search."""
