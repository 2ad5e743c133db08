"""From what somebody typed before a value to the parameters it names: an alias, ``id.input`` or ``title.input``."""

from collections.abc import Iterator

from comfyd.errors import AmbiguousParameter, ComfydError, UnknownParameter

from .aliases import ALIASES, Group, targets
from .following import settable
from .wiring import Address, Wiring, is_link
from .wording import listed, plain, shown


def find(wiring: Wiring, name: str) -> Group:
    """The parameters that this name sets; raises UnknownParameter or AmbiguousParameter."""
    if name in ALIASES:
        return _by_alias(wiring, name)
    found = list(_by_id(wiring, name)) or list(_by_title(wiring, name))
    if not found:
        raise _unknown(wiring, name)
    if len(found) > 1:
        raise _ambiguous(name, [(address,) for address in found])
    return (_settable(wiring, found[0]),)


def canonical(address: Address) -> str:
    """``5.seed``."""
    return ".".join(address)


def _by_alias(wiring: Wiring, alias: str) -> Group:
    groups = targets(wiring, alias)
    if len(groups) > 1:
        raise _ambiguous(alias, groups)
    if not groups:
        raise UnknownParameter(f"Nothing in this workflow answers to {shown(alias)}; address an input as NODE_ID.input instead.")
    return groups[0]


def _by_id(wiring: Wiring, name: str) -> Iterator[Address]:
    for id_, input_ in _splits(name):
        if id_ in wiring.graph and _has(wiring, (id_, input_)):
            yield id_, input_


def _by_title(wiring: Wiring, name: str) -> Iterator[Address]:
    wanted = {title.casefold(): input_ for title, input_ in _splits(name)}
    for id_ in wiring.graph if wanted else ():
        input_ = wanted.get(wiring.title(id_).casefold())
        if input_ is not None and _has(wiring, (id_, input_)):
            yield id_, input_


def _splits(name: str) -> Iterator[tuple[str, str]]:
    """Every way to part a name at a dot: ids, titles and input names may all hold dots themselves."""
    parts = name.split(".")
    for i in range(1, min(len(parts), 20)):
        yield ".".join(parts[:i]), ".".join(parts[i:])


def _has(wiring: Wiring, address: Address) -> bool:
    return address[1] in wiring.inputs[address[0]] or address[1] in wiring.specs(address[0])


def _settable(wiring: Wiring, address: Address) -> Address:
    found = settable(wiring, address)
    if found is not None:
        return found
    value = wiring.inputs[address[0]].get(address[1])
    if not is_link(value) or value[0] not in wiring.graph:
        raise UnknownParameter(f"{wiring.label(address)} takes a link and not a value; set an input of the node you link to it.")
    feeder = value[0]
    names = [canonical((feeder, name)) for name in wiring.specs(feeder) if wiring.holds_value((feeder, name))]
    fix = f"set {'one of ' * (len(names) > 1)}{listed(names)} instead." if names else "set an input further up instead."
    raise UnknownParameter(
        f"{wiring.label(address)} is fed by node {plain(feeder)} ({plain(wiring.classes[feeder].name)}); {fix}"
    )


def _ambiguous(name: str, groups: list[Group]) -> ComfydError:
    choices = listed([canonical(address) for group in groups for address in group])
    return AmbiguousParameter(f"{shown(name)} fits several parameters; give one of {choices}.")


def _unknown(wiring: Wiring, name: str) -> ComfydError:
    from .nearest import nearest

    bare = [canonical((id_, name)) for id_ in wiring.graph if wiring.holds_value((id_, name)) and _has(wiring, (id_, name))]
    if bare:
        return UnknownParameter(f"Unknown parameter {shown(name)}; did you mean {listed(bare, 3)}?")
    found = nearest(name, _known(wiring))
    fix = f"did you mean {shown(found)}?" if found else "give an alias such as prompt or seed, or NODE_ID.input."
    return UnknownParameter(f"Unknown parameter {shown(name)}; {fix}")


def _known(wiring: Wiring) -> Iterator[str]:
    yield from ALIASES
    for id_ in wiring.graph:
        for input_ in wiring.specs(id_):
            if wiring.holds_value((id_, input_)):
                yield canonical((id_, input_))
                yield f"{wiring.title(id_)}.{input_}"
