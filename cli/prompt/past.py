"""The lines of all sessions in one file, which is nobody else's business: prompts are private."""

import os
from collections.abc import Iterator

from prompt_toolkit.history import FileHistory, History, InMemoryHistory, ThreadedHistory

from ..terminal import Terminal


class PrivateHistory(FileHistory):
    """Written in one piece for each line, so that several prompts at once do not mix theirs; a full disk loses the line."""

    def store_string(self, string: str) -> None:
        """Add a line to the file, in the form that FileHistory reads."""
        import time

        entry = f"\n# {time.strftime('%Y-%m-%d %H:%M:%S')}\n" + "".join(f"+{line}\n" for line in string.split("\n"))
        try:
            file = os.open(self.filename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(file, entry.encode("utf-8", "replace"))
            finally:
                os.close(file)
        except OSError:
            return

    def load_history_strings(self) -> Iterator[str]:
        """The newest first; none where the file cannot be read."""
        try:
            yield from super().load_history_strings()
        except OSError:
            return


def history(terminal: Terminal) -> History:
    """Read in the background; where no file can be, what this session hears alone."""
    file = terminal.paths.state / "history"
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.chmod(0o600)
    except OSError as error:
        terminal.note(f"the history is not kept: {error.strerror}")
        return InMemoryHistory()
    return ThreadedHistory(PrivateHistory(str(file)))
