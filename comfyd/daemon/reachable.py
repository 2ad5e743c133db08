"""The end of a login session, or a cleaner, may remove the runtime directory under a running daemon; it is put back here."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

from comfyd.errors import ComfydError

from .lock import Locks

log = logging.getLogger("comfyd.daemon")

_INTERVAL = 1.0  # seconds between two looks


async def stay_reachable(socket: Path, locks: Locks, listen: Callable[[], None]) -> None:
    """Listen again, with the locks renewed, whenever the socket's path is gone. Until cancelled."""
    complaint = ""
    while True:
        await asyncio.sleep(_INTERVAL)
        if socket.exists():
            continue
        try:
            locks.renew()
            listen()
            log.warning("the socket %s was removed and is there again", socket)
        except (ComfydError, OSError) as error:
            if complaint != str(error):
                complaint = str(error)
                log.error("the socket %s was removed and cannot be put back: %s", socket, complaint)
