"""What samplers are fed with: the latent's size, models and loras by their files, and the files of the input folder."""

from collections.abc import Iterable

from comfyd.workflow.values.constants import MODEL_FILES

from .following import base_name, feeds, named, upstream
from .prompts import Group
from .samplers import Samplers
from .wiring import Wiring

_LATENT = frozenset({"LATENT"})
_MEDIA = ("image", "mask", "audio", "video")


def sized(samplers: Samplers) -> list[str]:
    """The nodes that make the latents that samplers begin with, and the parts of samplers, which may know the size too."""
    parts = samplers.parts(samplers.ids)
    return parts if samplers.generate else [*_sources(samplers, samplers.ids, _LATENT), *parts]


def models(samplers: Samplers, ids: Iterable[str]) -> list[Group]:
    """The files of the models that these samplers run."""
    wiring = samplers.wiring
    if samplers.generate:
        return named(wiring, ids, ("model", "model_name"))
    sources = _sources(samplers, ids, frozenset({"MODEL"}))
    return [group for id_ in sources for group in named(wiring, [id_], tuple(_files(wiring, id_)[:1]))]


def feeding(samplers: Samplers, type_: str) -> list[Group]:
    """The files of the loaders of this type alone (a checkpoint is the model's), wherever outputs need it."""
    wiring, types = samplers.wiring, frozenset({type_})
    starts = [(source, slot) for id_ in wiring.order for _, source, slot in feeds(wiring, id_, types)]
    sources = _ends(wiring, starts, types)
    return [
        group for id_ in sources for name in _files(wiring, id_) if "ckpt" not in name for group in named(wiring, [id_], (name,))
    ]


def loras(samplers: Samplers) -> list[tuple[Group, Group]]:
    """File and strengths of each lora, in the order in which they are applied."""
    wiring = samplers.wiring
    found = []
    for id_ in wiring.order:
        if "lora_name" in wiring.specs(id_):
            strengths = named(wiring, [id_], ("strength_model", "strength_clip", "strength"))
            files = named(wiring, [id_], ("lora_name",))
            found.append((files[0] if files else (), tuple(dict.fromkeys(a for group in strengths for a in group))))
    return found


def files(samplers: Samplers) -> dict[str, list[Group]]:
    """The inputs that name files of the input folder, by what comes out of them."""
    wiring = samplers.wiring
    used: dict[str, set[int]] = {}
    for id_ in wiring.order:
        for _, source, slot in wiring.links(id_):
            used.setdefault(source, set()).add(slot)
    found: dict[str, list[Group]] = {name: [] for name in _MEDIA}
    for id_ in wiring.order:
        for name, spec in wiring.specs(id_).items():
            if spec.uploads and wiring.holds_value((id_, name)):
                kind = _kind(wiring, id_, name, used.get(id_, set()))
                found.setdefault(kind, []).append(((id_, name),))
    return found


def _kind(wiring: Wiring, id_: str, name: str, slots: set[int]) -> str:
    outputs = wiring.classes[id_].outputs
    types = [str(outputs[slot]).lower() for slot in sorted(slots) if slot < len(outputs)] or [str(o).lower() for o in outputs]
    if types and set(types) == {"mask"}:
        return "mask"
    return next((kind for kind in (base_name(name), *types) if kind in _MEDIA), "file")


def _sources(samplers: Samplers, ids: Iterable[str], types: frozenset[str]) -> list[str]:
    """The nodes where what these samplers take of these types comes from."""
    wiring = samplers.wiring
    starts = [(source, slot) for id_ in samplers.parts(ids) for _, source, slot in feeds(wiring, id_, types)]
    return _ends(wiring, starts, types)


def _ends(wiring: Wiring, starts: Iterable[tuple[str, int]], types: frozenset[str]) -> list[str]:
    reached = dict.fromkeys(id_ for id_, _ in upstream(wiring, starts, types))
    return [id_ for id_ in reached if not any(feeds(wiring, id_, types))]


def _files(wiring: Wiring, id_: str) -> list[str]:
    """The inputs of a loader that name its files, the model's own before others."""
    specs = wiring.specs(id_)
    names = [name for name in specs if name.rstrip("0123456789").endswith("_name")]
    names += [
        name
        for name, spec in specs.items()
        if name not in names and any(str(c).endswith(MODEL_FILES) for c in spec.choices or ())
    ]
    known = [name for name in ("ckpt_name", "unet_name", "model_name") if name in names]
    return [*known, *(name for name in names if name not in known)]
