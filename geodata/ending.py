"""What a program does when it is told to end: it leaves no half-written file.

Python ends at once on SIGTERM, without the clean-up that an interrupt gets; a scheduler or a
container sends just that.
"""

from __future__ import annotations

import os
import signal
import threading
from types import FrameType

TERMINATED = 128 + int(signal.SIGTERM)
"""The exit status of a program that SIGTERM ended, as a shell counts."""


def end_cleanly() -> None:
    """Make SIGTERM end the program as an interrupt does; forked children keep the usual way.

    Called once by a program, in its main thread. A handler of somebody else's stays.
    """
    is_free = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    if not is_free or threading.current_thread() is not threading.main_thread():
        return
    ours = os.getpid()

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        signal.signal(number, signal.SIG_DFL)  # a second one ends at once
        if os.getpid() != ours:  # a loader worker: the clean-up is its parent's
            os.kill(os.getpid(), number)
            return
        raise SystemExit(TERMINATED)

    signal.signal(signal.SIGTERM, end)
