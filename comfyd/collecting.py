"""How often cyclic garbage is looked for, in processes that read and copy large workflows, which are none."""

import gc


def collect_seldom() -> None:
    """From now on: as often as is usual it takes half the time of a workflow of 100,000 nodes."""
    gc.set_threshold(20_000, 20, 100)
