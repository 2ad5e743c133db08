"""The commands on what is resident."""

from ..spec import Argument, Command, Option
from .shared import JSON_REPLY, NO_START, START

COMMANDS = (
    Command(
        name="ps",
        group="Memory",
        handler="memory:ps",
        summary="List what is resident: models and kept results.",
        options=(JSON_REPLY, NO_START),
        environment=START,
    ),
    Command(
        name="unload",
        group="Memory",
        handler="memory:unload",
        summary="Let go of residents by name, or of all of them.",
        arguments=(
            Argument(name="names", kind="resident", metavar="NAME", required=False, many=True, help="a name as ps shows it"),
        ),
        options=(Option(name="everything", flags=("-a", "--all"), help="let go of everything"), JSON_REPLY, NO_START),
        environment=START,
    ),
)
