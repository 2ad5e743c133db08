"""Letting go of residents by name."""

from comfyd.errors import NotResident
from comfyd.protocol import Unload, Unloaded, UnloadOrder, UnloadReply

from .supervisor import Supervisor


async def unload(request: Unload, engine: Supervisor) -> UnloadReply:
    """Have the worker let go; raises NotResident for names nothing has, after what is there was let go."""
    unknown, names, freed = request.names, list[str](), 0
    if engine.info.state == "ready":
        answer = await engine.ask(lambda number: UnloadOrder(request=number, names=request.names, everything=request.everything))
        assert isinstance(answer, Unloaded)
        unknown, names, freed = answer.unknown, answer.names, answer.freed
    if unknown:
        raise NotResident(_sentence(unknown[0], [resident.name for resident in engine.residents]))
    return UnloadReply(names=names, freed=freed)


def _sentence(name: str, resident: list[str]) -> str:
    from comfyd.workflow.nearest import did_you_mean

    if not resident:
        return f"{name!r} is not resident: nothing is; `comfyd ps` shows what is."
    return f"{name!r} is not resident{did_you_mean(name, resident)}; `comfyd ps` lists what is."
