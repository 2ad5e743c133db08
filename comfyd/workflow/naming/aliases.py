"""Plain names for the parameters people turn most, found by following links from the samplers.

With several samplers ``seed`` is that of the last one, and each has its own by a name for it: ``base.seed``, ``3.seed``.
Samplers side by side that hold the same value share the name; else they are told apart by numbers: ``seed.1``.
What samplers are fed with, such as a prompt, is one for all of them or must be told apart: ``prompt.1``, ``base.prompt``.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

from comfyd.workflow.graph import loaders, prompts
from comfyd.workflow.graph.following import named, value_at
from comfyd.workflow.graph.prompts import Group, joined
from comfyd.workflow.graph.samplers import SEEDS, Samplers
from comfyd.workflow.graph.wiring import Address, Wiring

_OWN = {
    "seed": SEEDS,
    "steps": ("steps",),
    "cfg": ("cfg", "cfg_conds", "guidance_scale"),
    "sampler": ("sampler_name",),
    "scheduler": ("scheduler",),
    "denoise": ("denoise",),
}
"""What a sampler has of its own, and how its inputs and those of its parts call it."""

_SIZES = {"width": "width", "height": "height", "length": "length", "batch": "batch_size"}
_FILES = ("image", "mask", "audio", "video")
ALIASES = (*("prompt", "negative"), *_OWN, "guidance", *_SIZES, "model", "vae", "clip", "lora", "lora.strength", *_FILES)
"""The plain names, in the order people read them."""

_MOST = 100
"""Samplers whose own names are listed; those of others are found all the same."""


class Aliases:
    """The plain names of one graph; each is looked for when it is first asked for."""

    def __init__(self, wiring: Wiring) -> None:
        self.wiring = wiring
        self._found: dict[str, list[Group]] = {}

    @cached_property
    def samplers(self) -> Samplers:
        return Samplers(self.wiring)

    @cached_property
    def _sized(self) -> list[str]:
        return loaders.sized(self.samplers)

    @cached_property
    def _files(self) -> dict[str, list[Group]]:
        return loaders.files(self.samplers)

    @cached_property
    def _loras(self) -> list[tuple[Group, Group]]:
        return loaders.loras(self.samplers)

    def targets(self, alias: str) -> list[Group]:
        """What the alias stands for in this graph: nothing, one group, or several where it is ambiguous."""
        if alias not in self._found:
            self._found[alias] = _distinct(self._look(alias))
        return self._found[alias]

    def fed(self, alias: str) -> Address | None:
        """An input that the alias would stand for if other nodes did not make its value."""
        names = (_SIZES[alias],) if alias in _SIZES else _OWN.get(alias, ())
        ids = self._sized if alias in _SIZES else self.samplers.parts(self.samplers.last)
        return next(((id_, name) for id_ in ids for name in names if name in self.wiring.inputs[id_]), None)

    def numbered(self, name: str) -> list[Group]:
        """What ``prompt.2`` or ``lora.1.strength`` stands for."""
        first, _, rest = name.partition(".")
        number, _, more = rest.partition(".")
        alias = f"{first}.{more}" if more else first
        if alias not in ALIASES or not (number.isascii() and number.isdecimal() and len(number) < 6):
            return []
        return self._of_lora(alias)[int(number) - 1 : int(number)] if first == "lora" else self._nth(alias, int(number))

    def of(self, sampler: str, alias: str) -> list[Group]:
        """What the alias stands for where this sampler alone is meant."""
        ids = [sampler]
        if alias == "prompt":
            return joined(self.wiring, prompts.positive(self.samplers, ids))
        if alias == "negative":
            return joined(self.wiring, prompts.negative(self.samplers, ids))
        if alias == "model":
            return _distinct(loaders.models(self.samplers, ids))
        return _distinct(self._own(sampler, alias)) if alias in _OWN else []

    def listed(self) -> Iterator[tuple[str, Group]]:
        """Every name with what it stands for, for a list: plain ones, numbers where those are ambiguous, samplers' own."""
        for alias in ALIASES:
            groups = self.targets(alias)
            if len(groups) == 1:
                yield alias, groups[0]
            for number, group in enumerate(groups if len(groups) > 1 else (), 1):
                yield name_of(alias, number), group
        yield from self._listed_samplers()

    def _listed_samplers(self) -> Iterator[tuple[str, Group]]:
        known = {group for alias in ALIASES for group in self.targets(alias) if len(self.targets(alias)) == 1}
        ids = self.samplers.ids[:_MOST]
        for id_ in ids if len(ids) > 1 else ():
            name = next((name for name, called in self.samplers.names.items() if called == id_), id_)
            for alias in ("prompt", "negative", *_OWN, "model"):
                groups = self.of(id_, alias)
                if len(groups) == 1 and groups[0] not in known and f"{name}.{alias}" != ".".join(groups[0][0]):
                    yield f"{name}.{alias}", groups[0]

    def _nth(self, alias: str, number: int) -> list[Group]:
        return self.targets(alias)[number - 1 : number] if number else []

    def _look(self, alias: str) -> Sequence[Group]:
        samplers = self.samplers
        if alias in _OWN:
            return joined(self.wiring, [group for id_ in samplers.last for group in self._of_stages(id_, alias)])
        if alias in _SIZES:
            return joined(self.wiring, named(self.wiring, self._sized, (_SIZES[alias],)))
        if alias in _FILES:
            return self._files[alias]
        if alias.startswith("lora"):
            return self._of_lora(alias)
        return _FED[alias](samplers)

    def _of_lora(self, alias: str) -> list[Group]:
        return [pair[alias == "lora.strength"] for pair in self._loras]

    def _of_stages(self, last: str, alias: str) -> list[Group]:
        """The last sampler's own and, where it goes on with another's noise, what that holds alike; a seed where noise begins."""
        stages = self.samplers.stages(last)
        if alias == "seed":
            return next((found for id_ in reversed(stages) if (found := self._own(id_, alias))), [])
        own, *others = [self._own(id_, alias) for id_ in stages]
        if len(own) != 1:
            return own
        value = value_at(self.wiring, own[0][0])
        alike = [group for found in others for group in found if value_at(self.wiring, group[0]) == value]
        return [tuple(dict.fromkeys(address for group in [own[0], *alike] for address in group))]

    def _own(self, sampler: str, alias: str) -> list[Group]:
        return named(self.wiring, self.samplers.parts([sampler]), _OWN[alias])


def name_of(alias: str, number: int) -> str:
    """``prompt.2``, ``lora.2.strength``."""
    first, dot, rest = alias.partition(".")
    return f"{first}.{number}{dot}{rest}"


def _distinct(groups: Sequence[Group]) -> list[Group]:
    return list(dict.fromkeys(group for group in groups if group))


_FED: dict[str, Callable[[Samplers], Sequence[Group]]] = {
    "prompt": lambda samplers: joined(samplers.wiring, prompts.positive(samplers, samplers.ids)),
    "negative": lambda samplers: joined(samplers.wiring, prompts.negative(samplers, samplers.ids)),
    "guidance": prompts.guidance,
    "model": lambda samplers: joined(samplers.wiring, loaders.models(samplers, samplers.ids)),
    "vae": lambda samplers: loaders.feeding(samplers, "VAE"),
    "clip": lambda samplers: loaders.feeding(samplers, "CLIP"),
}
