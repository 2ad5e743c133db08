"""Jobs and their history in one SQLite file; every failure is a JournalUnavailable that says what to do."""

from .journal import Forgotten, Journal
from .measurements import Measurement
from .records import Begun, state_of

__all__ = ["Begun", "Forgotten", "Journal", "Measurement", "state_of"]
