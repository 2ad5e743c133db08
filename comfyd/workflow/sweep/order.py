"""The order in which a sweep's combinations run: what is upstream changes least, so that loaders and encoders run seldom. Pure.

The results that comfyd keeps make most orders cheap as long as they fit in memory; this one is the cheapest even where
nothing but the last run's results are kept.
"""

import itertools
from collections.abc import Mapping, Sequence

from comfyd.workflow.graph.wiring import Wiring
from comfyd.workflow.values.constants import MODEL_FILES

from .axes import Axis, Combination

_LOADER, _USER, _OTHER = 1000, 10, 1
"""What a node weighs that names a model file, that is handed a model, and any other."""
_MODELS = frozenset({"MODEL", "CLIP", "VAE", "CONTROL_NET", "CLIP_VISION", "STYLE_MODEL", "UPSCALE_MODEL"})
_EXACTLY = 6
"""Axes up to which every order of them is tried."""

Reached = Mapping[frozenset[int], int]
"""What the nodes weigh that change with these axes and no others."""


def ordered(axes: Sequence[Axis], combinations: Sequence[Combination], wiring: Wiring) -> list[Combination]:
    """The same combinations, grouped by the axes from the one that costs most to change to the one that costs least."""
    nest = nested(axes, reached(axes, wiring))
    ranks = [{repr(value): at for at, value in reversed(list(enumerate(axis.values)))} for axis in axes]
    return sorted(combinations, key=lambda one: [ranks[at][repr(one[at])] for at in nest])


def reached(axes: Sequence[Axis], wiring: Wiring) -> Reached:
    """Which axes the nodes that run change with, and what they weigh."""
    own: dict[str, set[int]] = {}
    for at, axis in enumerate(axes):
        for id_, _ in axis.addresses:
            own.setdefault(id_, set()).add(at)
    above: dict[str, frozenset[int]] = {}
    found: dict[frozenset[int], int] = {}
    for id_ in wiring.order:
        sources = (above[source] for _, source, _ in wiring.links(id_))
        mine = above[id_] = frozenset(own.get(id_, ())).union(*sources)
        found[mine] = found.get(mine, 0) + _weight(wiring, id_)
    return found


def nested(axes: Sequence[Axis], reached: Reached) -> tuple[int, ...]:
    """The axes' positions, the one that changes least first; where it makes no difference, as they were typed."""
    many = [at for at, axis in enumerate(axes) if len(axis.values) > 1]
    sizes = [len(axis.values) for axis in axes]
    if len(many) > _EXACTLY:
        return tuple(sorted(many, key=lambda at: -sum(weight for changing, weight in reached.items() if at in changing)))
    return min(itertools.permutations(many), key=lambda nest: cost(nest, sizes, reached))


def cost(nest: Sequence[int], sizes: Sequence[int], reached: Reached) -> int:
    """What a product in this order costs where only the last run's results are kept."""
    runs, total = 1, 0
    left = dict(reached)
    for at in nest:
        innermost = nest[list(nest).index(at) + 1 :]
        runs *= sizes[at]
        for changing in [one for one in left if at in one and not one.intersection(innermost)]:
            total += runs * left.pop(changing)
    return total


def _weight(wiring: Wiring, id_: str) -> int:
    values = wiring.inputs[id_].values()
    if any(isinstance(value, str) and value.lower().endswith(MODEL_FILES) for value in values):
        return _LOADER
    return _USER if any(True for _ in wiring.links_of(id_, _MODELS)) else _OTHER
