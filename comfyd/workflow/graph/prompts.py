"""The texts that reach samplers, through whatever stands between: encoders, conditionings, switches, nodes that make text."""

from collections.abc import Iterable

from .following import base_name, feeds, named, settable, upstream, value_at
from .samplers import TEXTS, Samplers, prompts
from .wiring import Address, Wiring

Group = tuple[Address, ...]
"""Parameters that one value sets together, such as the texts of an encoder with several."""

_CONDITIONING = frozenset({"CONDITIONING"})
_STRING = frozenset({"STRING"})
_NEGATIVE = frozenset({"negative", "empty_conditioning"})
_BETWEEN = frozenset({"cond2"})
"""What a guider with two scales compares with on the way to the negative: neither."""
_OTHER = frozenset({"lyrics", "system_prompt", "find", "replace", "regex_pattern", "delimiter", "filename_prefix", "tracks"})
"""Texts that are no part of what is to be seen or heard."""


def positive(samplers: Samplers, ids: Iterable[str]) -> list[Group]:
    """The texts that reach what these samplers are to make."""
    return _texts(samplers, ids, negative=False)


def negative(samplers: Samplers, ids: Iterable[str]) -> list[Group]:
    """Texts that reach ``negative`` only: a zeroed-out positive text is no negative prompt."""
    ids = list(ids)
    taken = {address for group in positive(samplers, ids) for address in group}
    return [group for group in _texts(samplers, ids, negative=True) if taken.isdisjoint(group)]


def joined(wiring: Wiring, groups: list[Group]) -> list[Group]:
    """Groups that hold the same value are one."""
    alike: dict[object, list[Address]] = {}
    for group in groups:
        value = value_at(wiring, group[0])
        key = (type(value), value) if isinstance(value, str | int | float) else group
        alike.setdefault(key, []).extend(group)
    return [tuple(dict.fromkeys(addresses)) for addresses in alike.values()]


def guidance(samplers: Samplers) -> list[Group]:
    """The guidance that is part of conditionings, as of FluxGuidance; equal ones are one."""
    reached = _conditionings(samplers, samplers.ids, negative=False)
    return joined(samplers.wiring, named(samplers.wiring, reached, ("guidance",)))


def _texts(samplers: Samplers, ids: Iterable[str], negative: bool) -> list[Group]:
    wiring = samplers.wiring
    if samplers.generate:
        return [group for id_ in ids for group in _made(wiring, id_, negative)]
    reached = _conditionings(samplers, ids, negative)
    return [group for id_ in reached for group in _texts_of(wiring, id_, _encoded(wiring, id_, negative))]


def _conditionings(samplers: Samplers, ids: Iterable[str], negative: bool) -> list[str]:
    """The nodes that conditionings of these samplers come through, nearest first."""
    wiring = samplers.wiring
    starts = [
        (source, slot)
        for id_ in samplers.parts(ids)
        for name, source, slot in feeds(wiring, id_, _CONDITIONING)
        if (name in _NEGATIVE) == negative and name not in _BETWEEN
    ]
    return list(dict.fromkeys(id_ for id_, _ in upstream(wiring, starts, _CONDITIONING)))


def _made(wiring: Wiring, id_: str, negative: bool) -> list[Group]:
    """The texts of a node that makes media of them."""
    specs = wiring.specs(id_)
    if negative:
        return _texts_of(wiring, id_, [name for name in specs if base_name(name) == "negative_prompt"])
    return _texts_of(wiring, id_, prompts(specs.values())[:1])


def _encoded(wiring: Wiring, id_: str, negative: bool) -> list[str]:
    """The inputs that hold prose: multiline ones, or any text of a node that has a text encoder linked."""
    specs = wiring.specs(id_)
    encodes = any(spec.kind == "CLIP" for spec in specs.values())
    texts = [name for name, spec in specs.items() if spec.kind == "STRING" and (spec.multiline or encodes)]
    names = [name for name in texts if base_name(name) not in _OTHER]
    named = [name for name in names if name.startswith("neg")]
    return (named or names) if negative else [name for name in names if name not in named]


def _texts_of(wiring: Wiring, id_: str, names: list[str]) -> list[Group]:
    """The texts of one encoder: one group where they are typed, one each where other nodes make them.

    Where texts are put together, those that nodes with nothing but a text give are what somebody types.
    """
    typed = [settable(wiring, (id_, name)) for name in names]
    if all(typed):
        group = tuple(dict.fromkeys(address for address in typed if address is not None))
        return [group] if group else []
    found: list[Group] = [(address,) for address in typed if address is not None]
    starts = [(source, slot) for name, source, slot in feeds(wiring, id_, _STRING) if name in names]
    makers = dict.fromkeys(i for i, _ in upstream(wiring, starts, _STRING) if not _instructs(wiring, i))
    plain = [id_ for id_ in makers if not any(wiring.links(id_)) and len(wiring.specs(id_)) == 1]
    made: list[Group] = [(address,) for made_by in plain or makers for address in _typed(wiring, made_by)]
    return list(dict.fromkeys(made if plain else found + made))


def _instructs(wiring: Wiring, id_: str) -> bool:
    """Whether the node's text tells a language model how to write prompts."""
    return "system" in wiring.title(id_).casefold()


def _typed(wiring: Wiring, id_: str) -> list[Address]:
    """The texts typed into a node that makes text of them: those named so, else prose, else any that says something."""
    texts = {name: spec for name, spec in wiring.specs(id_).items() if spec.kind == "STRING" and base_name(name) not in _OTHER}
    named = [name for name in texts if base_name(name) in TEXTS]
    names = named or [name for name, spec in texts.items() if spec.multiline] or list(texts)
    here = [(id_, name) for name in names if wiring.holds_value((id_, name))]
    return [address for address in here if len(here) == 1 or str(value_at(wiring, address) or "").strip()]
