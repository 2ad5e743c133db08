"""The samplers of a graph: which they are, which comes last, which goes on with another's noise, what people call them."""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from comfyd.workflow.classes.nodeclass import Input

from .following import base_name, feeds, settable, upstream, value_at
from .wiring import Wiring

SEEDS = ("seed", "noise_seed")
TEXTS = ("prompt", "text_prompt", "positive_prompt", "text")
"""What nodes that make media of a text call that text."""

_PARTS = frozenset({"NOISE", "GUIDER", "SAMPLER", "SIGMAS"})
_LATENT = frozenset({"LATENT"})
_NO_MEDIA = frozenset({"STRING", "INT", "FLOAT", "BOOLEAN", "CONDITIONING", "MODEL", "CLIP", "LATENT", "NOISE"})
_CALLED = {
    "base": "base",
    "refiner": "refiner",
    "hires": "hires",
    "highres": "hires",
    "upscale": "upscale",
    "detailer": "detailer",
}
_CALLED |= {"high": "high", "low": "low", "first": "first", "second": "second"}


class Samplers:
    """The sampling nodes that outputs need, each after those it needs; in graphs without any, nodes that make media of a text."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self.ids = [id_ for id_ in wiring.order if _samples(wiring, id_)]
        self.generate = not self.ids
        if self.generate:
            self.ids = _generators(wiring)
        self._known = frozenset(self.ids)
        self._parts: dict[tuple[str, ...], list[str]] = {}

    @cached_property
    def last(self) -> list[str]:
        """Those that no other one needs: one, unless some run side by side."""
        before = set(self._above(self.ids))
        return [id_ for id_ in self.ids if id_ not in before]

    @cached_property
    def names(self) -> dict[str, str]:
        """What people call one of several: ``base`` for the first, else a telling word of a title that only one has."""
        if len(self.ids) < 2:
            return {}
        found: dict[str, list[str]] = {}
        for id_ in self.ids:
            words = re.findall(r"[a-z]+", self.wiring.title(id_).lower().replace("hi-res", "hires").replace("high-res", "hires"))
            for name in dict.fromkeys(_CALLED[word] for word in words if word in _CALLED):
                found.setdefault(name, []).append(id_)
        return {name: ids[0] for name, ids in ({"base": self._first()} | found).items() if len(ids) == 1}

    def _first(self) -> list[str]:
        """Those that need no other one."""
        after: set[str] = set()
        for id_ in self.wiring.order:
            if any(source in after or source in self._known for _, source, _ in self.wiring.links(id_)):
                after.add(id_)
        return [id_ for id_ in self.ids if id_ not in after]

    def parts(self, ids: Iterable[str]) -> list[str]:
        """These samplers and the noise, guider, sampler and sigmas nodes behind them."""
        wanted = tuple(ids)
        if wanted not in self._parts:
            starts = [(id_, 0) for id_ in wanted]
            self._parts[wanted] = list(dict.fromkeys(id_ for id_, _ in upstream(self.wiring, starts, _PARTS)))
        return self._parts[wanted]

    def stages(self, id_: str) -> list[str]:
        """The sampler and, where it adds no noise, those whose noise it goes on with, last first."""
        found = [id_]
        while not self.adds_noise(found[-1]):
            before = self._before(found[-1])
            if before is None or before in found:
                break
            found.append(before)
        return found

    def adds_noise(self, id_: str) -> bool:
        """Whether the sampler's seed counts: it begins with noise of its own."""
        if self.generate:
            return True
        address = settable(self.wiring, (id_, "add_noise"))
        if address is not None and "add_noise" in self.wiring.specs(id_):
            return value_at(self.wiring, address) not in ("disable", False)
        return any(name in self.wiring.specs(part) for part in self.parts([id_]) for name in SEEDS)

    def _before(self, id_: str) -> str | None:
        links = [(source, slot) for _, source, slot in feeds(self.wiring, id_, _LATENT)]
        return next((above for above, _ in upstream(self.wiring, links, _LATENT) if above in self._known), None)

    def _above(self, ids: Iterable[str]) -> Iterator[str]:
        """Every node that one of these needs, each once."""
        waiting = [source for id_ in ids for _, source, _ in self.wiring.links(id_)]
        seen: set[str] = set()
        while waiting:
            id_ = waiting.pop()
            if id_ not in seen:
                seen.add(id_)
                yield id_
                waiting.extend(source for _, source, _ in self.wiring.links(id_))


def prompts(specs: Iterable[Input]) -> list[str]:
    """The inputs that hold what a generating node is to make, in the order of the names for it."""
    texts = [spec.name for spec in specs if spec.kind == "STRING"]
    return [name for wanted in TEXTS for name in texts if base_name(name) == wanted]


def _samples(wiring: Wiring, id_: str) -> bool:
    specs = wiring.specs(id_)
    kinds = {spec.kind for spec in specs.values()}
    fed = "GUIDER" in kinds or kinds >= {"MODEL", "CONDITIONING"}
    return fed and (not kinds.isdisjoint({"NOISE", "SIGMAS"}) or any(name in specs for name in SEEDS))


def _generators(wiring: Wiring) -> list[str]:
    """Nodes that make media of a text or a seed; where there are none, those that make text of a text."""
    media = [id_ for id_ in wiring.order if _makes(wiring, id_) and not _NO_MEDIA.issuperset(_outputs(wiring, id_))]
    return media or [id_ for id_ in wiring.order if _makes(wiring, id_) and _outputs(wiring, id_) == {"STRING"}]


def _makes(wiring: Wiring, id_: str) -> bool:
    """Whether the node makes something of a text and a seed; a node that asks a service for it may lack one of them."""
    specs = wiring.specs(id_)
    named, seeded = bool(prompts(specs.values())), any(base_name(name) in SEEDS for name in specs)
    return (named and seeded) or ((named or seeded) and wiring.classes[id_].module.startswith("comfy_api_nodes"))


def _outputs(wiring: Wiring, id_: str) -> set[str]:
    return {output for output in wiring.classes[id_].outputs if isinstance(output, str)}
