"""A graph: its nodes beside their classes, their order, what is upstream of what, its samplers and what feeds them."""
