"""Many values at once: the axes of a sweep, their combinations, and the order in which these run."""


def place(number: int, total: int, name: str) -> str:
    """What a job's record says of its sweep: ``3/24 demo-sweep``."""
    return f"{number}/{total} {name}"
