"""Plain names for the parameters people turn most, found by following links from the samplers."""

from collections.abc import Callable, Iterable

from .following import settable, upstream
from .wiring import Address, Wiring

Group = tuple[Address, ...]
"""Parameters that one value sets together, such as the texts of an encoder with several."""

_PARTS = frozenset({"NOISE", "GUIDER", "SAMPLER", "SIGMAS"})
_CONDITIONING = frozenset({"CONDITIONING"})
_LATENT = frozenset({"LATENT"})
_MODEL = frozenset({"MODEL"})
_STRING = frozenset({"STRING"})
_NEGATIVE = frozenset({"negative", "empty_conditioning"})


def targets(wiring: Wiring, alias: str) -> list[Group]:
    """What the alias stands for in this graph: nothing, one group, or several where it is ambiguous."""
    return list(dict.fromkeys(group for group in _FINDERS[alias](wiring) if group))


def samplers(wiring: Wiring) -> list[str]:
    """The sampling nodes that outputs need: those with a latent and either conditionings or a guider."""
    return [id_ for id_ in wiring.order if _is_sampler(wiring, id_)]


def _is_sampler(wiring: Wiring, id_: str) -> bool:
    inputs = wiring.inputs[id_]
    return "latent_image" in inputs and ("guider" in inputs or ("positive" in inputs and "negative" in inputs))


def _parts(wiring: Wiring) -> list[str]:
    """The samplers and the noise, guider, sampler and sigmas nodes behind them."""
    return list(dict.fromkeys(id_ for id_, _ in upstream(wiring, [(id_, 0) for id_ in samplers(wiring)], _PARTS)))


def _of_parts(*names: str) -> Callable[[Wiring], Iterable[Group]]:
    return lambda wiring: _named(wiring, _parts(wiring), names)


def _named(wiring: Wiring, ids: Iterable[str], names: tuple[str, ...]) -> list[Group]:
    found = [settable(wiring, (id_, name)) for id_ in ids for name in names if _has(wiring, id_, name)]
    return [(address,) for address in found if address is not None]


def _has(wiring: Wiring, id_: str, name: str) -> bool:
    return name in wiring.specs(id_) or name in wiring.inputs[id_]


def _sources(wiring: Wiring, types: frozenset[str]) -> list[str]:
    """The nodes where what the samplers take of these types comes from."""
    starts = [(source, slot) for id_ in _parts(wiring) for _, source, slot in wiring.links_of(id_, types)]
    reached = dict.fromkeys(id_ for id_, _ in upstream(wiring, starts, types))
    return [id_ for id_ in reached if not any(wiring.links_of(id_, types))]


def _of_latent(*names: str) -> Callable[[Wiring], Iterable[Group]]:
    return lambda wiring: _named(wiring, _sources(wiring, _LATENT), names)


def _model(wiring: Wiring) -> list[Group]:
    return [group for id_ in _sources(wiring, _MODEL) for group in _named(wiring, [id_], _file_input(wiring, id_))]


def _file_input(wiring: Wiring, id_: str) -> tuple[str, ...]:
    """The input of a loader that names its file."""
    names = [name for name in wiring.specs(id_) if name.endswith("_name")]
    known = [name for name in ("ckpt_name", "unet_name", "model_name") if name in names]
    return tuple((known or names)[:1])


def _prompt(wiring: Wiring) -> list[Group]:
    return _texts(wiring, negative=False)


def _negative(wiring: Wiring) -> list[Group]:
    """Texts that reach ``negative`` only: a zeroed-out positive text is no negative prompt."""
    positive = set(_prompt(wiring))
    return [group for group in _texts(wiring, negative=True) if group not in positive]


def _texts(wiring: Wiring, negative: bool) -> list[Group]:
    starts = [
        (source, slot)
        for id_ in _parts(wiring)
        for name, source, slot in wiring.links_of(id_, _CONDITIONING)
        if (name in _NEGATIVE) == negative
    ]
    reached = dict.fromkeys(id_ for id_, _ in upstream(wiring, starts, _CONDITIONING))
    return [group for id_ in reached for group in _texts_of(wiring, id_, negative)]


def _texts_of(wiring: Wiring, id_: str, negative: bool) -> list[Group]:
    """The texts of one encoder: one group where they are typed, one each where other nodes make them."""
    names = _text_inputs(wiring, id_, negative)
    typed = [settable(wiring, (id_, name)) for name in names]
    if all(typed):
        return [tuple(dict.fromkeys(address for address in typed if address is not None))]
    starts = [(source, slot) for name, source, slot in wiring.links_of(id_, _STRING) if name in names]
    made = [i for i, _ in upstream(wiring, starts, _STRING)]
    return [(address,) for made_by in made for address in _typed_texts(wiring, made_by)]


def _typed_texts(wiring: Wiring, id_: str) -> list[Address]:
    """The texts typed into a node that makes text of them."""
    texts = {name: spec for name, spec in wiring.specs(id_).items() if spec.kind == "STRING"}
    prose = [name for name, spec in texts.items() if spec.multiline] or list(texts)
    return [(id_, name) for name in prose if wiring.holds_value((id_, name))]


def _text_inputs(wiring: Wiring, id_: str, negative: bool) -> list[str]:
    """The inputs that hold prose: multiline ones, or any text of a node that has a text encoder linked."""
    specs = wiring.specs(id_)
    encodes = any(spec.kind == "CLIP" for spec in specs.values())
    names = [name for name, spec in specs.items() if spec.kind == "STRING" and (spec.multiline or encodes)]
    named = [name for name in names if name.startswith("neg")]
    return (named or names) if negative else [name for name in names if name not in named]


_FINDERS: dict[str, Callable[[Wiring], Iterable[Group]]] = {
    "prompt": _prompt,
    "negative": _negative,
    "seed": _of_parts("seed", "noise_seed"),
    "steps": _of_parts("steps"),
    "cfg": _of_parts("cfg"),
    "sampler": _of_parts("sampler_name"),
    "scheduler": _of_parts("scheduler"),
    "denoise": _of_parts("denoise"),
    "width": _of_latent("width"),
    "height": _of_latent("height"),
    "batch": _of_latent("batch_size"),
    "model": _model,
}

ALIASES = tuple(_FINDERS)
"""The plain names, in the order people read them."""
