"""Many values at once: the axes of a sweep, their combinations, and the order in which these run."""
