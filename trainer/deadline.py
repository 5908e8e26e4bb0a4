"""An end for what somebody else wrote and we run: a chat template may have a loop without one."""

import ctypes
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class TooLong(Exception):
    """It did not come to its end in time."""


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Raise `TooLong` in the block when it has not ended in time.

    Between two steps of Python only: a single operation is not broken off.
    """
    me, over, lock = threading.get_ident(), False, threading.Lock()

    def break_off() -> None:
        with lock:
            if not over:
                raised = ctypes.py_object(TooLong)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(me), raised)

    timer = threading.Timer(seconds, break_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    except TooLong:
        raise TooLong(f"it did not come to an end in {seconds:.0f} seconds") from None
    finally:
        timer.cancel()
        with lock:
            over = True
