"""Whether code of node packs takes part in a sampler's run, where it may change between two steps what modules do."""

from collections.abc import Iterator, Mapping
from typing import Any

from .own import is_own, module_of


def takes_part(guider: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Of a run of ``CFGGuider.outer_sample`` with these arguments."""
    sampler = kwargs["sampler"] if "sampler" in kwargs else args[2]
    patcher = guider.model_patcher
    settings = (patcher.callbacks, patcher.wrappers, guider.model_options, vars(sampler))
    return any(not is_own(module_of(code)) for code in (guider, sampler, *_code(settings)))


def _code(value: Any) -> Iterator[Any]:
    """The functions, and objects that are called like them, in nested lists, tuples and dicts."""
    if isinstance(value, Mapping):
        yield from _code(list(value.values()))
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _code(item)
    elif callable(value):
        yield value
