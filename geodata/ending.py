"""What a program does when it is told to end: it leaves no half-written file.

Python ends at once on SIGTERM, without the clean-up that an interrupt gets; a scheduler or a
container sends just that.
"""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType
from typing import NoReturn

TERMINATED = 128 + int(signal.SIGTERM)
"""The exit status of a program that SIGTERM ended, as a shell counts."""

BROKEN_PIPE = 141
"""The exit status of a program whose reader went away."""


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


def leave(status: int) -> NoReturn:
    """End a program that has done its work: wait, clean up and flush, then leave at once.

    A thread of a library that lets go of a Python object while the interpreter is taken apart
    aborts the process, whatever its status was to be: pyarrow's that read ahead in a CSV file,
    gloo's (https://github.com/pytorch/pytorch/issues/190489), which outlive their destroyed group
    where a model still holds it. So the interpreter is not taken apart. What it does before is
    done, in its order, as `multiprocessing` does for its children: Python's own threads end, then
    what was registered with `atexit` runs.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except BrokenPipeError:  # the reader, such as head, has seen enough
        status = status or BROKEN_PIPE
    os._exit(status)
