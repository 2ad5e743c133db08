"""Checks a whole graph as ComfyUI's ``validate_inputs`` does, and converts its constants in place."""

from collections.abc import Collection
from typing import Any

from comfyd.errors import ComfydError, InvalidValue, MissingModel, Refused, WorkflowInvalid

from .classes.linktypes import ANY, fits
from .classes.nodeclass import COMBO, Input, NodeClass
from .graph.wiring import Address, Wiring, is_link, unwrapped
from .values.constants import NoSuchModel, NotAmongChoices, Rejected, convert
from .wording import listed, plain, shown


def check(wiring: Wiring, stale: list[Refused]) -> dict[str, str]:
    """Output nodes that cannot run, with the reason, while others can; raises when none can or a value is refused.

    Values refused for their choices join ``stale``: all of these together say which classes deserve a fresh look.
    """
    broken: dict[str, ComfydError] = {}
    for id_ in wiring.order:
        fault = _fault(wiring, id_, stale) or next((broken[s] for _, s, _ in wiring.links(id_) if s in broken), None)
        if fault is not None:
            broken[id_] = fault
    if stale:
        raise _together(stale)
    ignored = {id_: broken[id_].message for id_ in wiring.outputs if id_ in broken}
    if len(ignored) == len(wiring.outputs):
        raise broken[wiring.outputs[0]]
    return ignored


def refused(subject: str, rejected: Rejected, class_type: str) -> Refused:
    """The error of a value that an input does not take."""
    kind = MissingModel if isinstance(rejected, NoSuchModel) else InvalidValue
    error = kind(f"{subject} {rejected}", classes=(class_type,) if rejected.stale else ())
    if isinstance(rejected, NotAmongChoices):
        error.file = rejected.file
    return error


def _together(stale: list[Refused]) -> Refused:
    """The first with the classes of all; of model files that are missing, it names the others too."""
    first = stale[0]
    classes = tuple(dict.fromkeys(name for error in stale for name in error.classes))
    message = first.message
    if isinstance(first, MissingModel):
        missing = dict.fromkeys(error.file for error in stale if isinstance(error, MissingModel) and error.file != first.file)
        message = f"{message.rstrip('.?')}; missing as well: {listed(list(missing))}." if missing else message
    return type(first)(message, first.detail, classes)


def _fault(wiring: Wiring, id_: str, stale: list[Refused]) -> WorkflowInvalid | None:
    try:
        _check_node(wiring, id_, stale)
    except WorkflowInvalid as error:
        return error
    return None


def _check_node(wiring: Wiring, id_: str, stale: list[Refused]) -> None:
    inputs, class_ = wiring.inputs[id_], wiring.classes[id_]
    specs = class_.inputs_for(inputs)
    for name, spec in specs.items():
        if name not in inputs:
            if spec.required:
                raise WorkflowInvalid(f"{wiring.label((id_, name))} is missing; link it or give it a value in the workflow.")
        elif type(inputs[name]) is list:
            _check_link(wiring, (id_, name), spec)
        else:
            try:
                inputs[name] = convert(spec, unwrapped(inputs[name]))
            except Rejected as error:
                _collect(refused(wiring.label((id_, name)), error, class_.name), stale)
    if len(inputs) > len(specs) or not inputs.keys() <= specs.keys():
        _check_extra(wiring, id_, specs.keys())


def _collect(error: Refused, stale: list[Refused]) -> None:
    if not error.classes:
        raise error
    stale.append(error)


def _check_link(wiring: Wiring, address: Address, spec: Input) -> None:
    value = wiring.inputs[address[0]][address[1]]
    if not is_link(value):
        raise WorkflowInvalid(f"{wiring.label(address)} holds a list that is no link; a link is [node id, output number].")
    source, slot = value
    if source not in wiring.graph:
        raise WorkflowInvalid(
            f"{wiring.label(address)} is linked to node {shown(source)}, which is not there; link it to another."
        )
    class_ = wiring.classes[source]
    if not _has_slot(class_, slot):
        number = f"output {slot} of node {plain(source)} ({plain(class_.name)})"
        raise WorkflowInvalid(
            f"{wiring.label(address)} is linked to {number}, which has {len(class_.outputs)}; link it to another."
        )
    received = class_.outputs[slot] if -len(class_.outputs) <= slot < len(class_.outputs) else ANY
    if "input_types" not in wiring.classes[address[0]].trusts and not fits(received, spec.type):
        raise WorkflowInvalid(
            f"{wiring.label(address)} takes {_type(spec.type)}, but node {plain(source)} ({plain(class_.name)}) "
            f"gives {_type(received)}; link it to another output."
        )


def _has_slot(class_: NodeClass, slot: int) -> bool:
    """Custom nodes with outputs of any type may answer to more slots than they declare."""
    count = len(class_.outputs)
    return -count <= slot < count or (class_.module.startswith("custom_nodes") and ANY in class_.outputs)


def _check_extra(wiring: Wiring, id_: str, known: Collection[str]) -> None:
    """Inputs a class does not have are passed over, as in ComfyUI, but a link among them must lead somewhere."""
    for name, value in wiring.inputs[id_].items():
        if name not in known and is_link(value) and value[0] not in wiring.graph:
            raise WorkflowInvalid(
                f"{wiring.label((id_, name))} is linked to node {shown(value[0])}, which is not there; remove it."
            )


def _type(type_: Any) -> str:
    return (
        "a choice" if isinstance(type_, list) or type_ == COMBO else plain(type_) if isinstance(type_, str) else "something else"
    )
