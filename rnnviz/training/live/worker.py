"""A worker process: reads calls from its standard input, answers on its standard output, ends with its
parent.

Started as a plain `python -c`, not through `multiprocessing`: its spawn would import the parent's `__main__`
anew, which under Streamlit is now the command line and now a page. A pipe whose other end is closed says that
the parent is gone, however it ended and on every system, so no worker outlives its server.
"""

from __future__ import annotations

import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from importlib import import_module
from typing import Any, BinaryIO, Final

NICENESS: Final = 15  # pages come first: a rerun must not wait for training
STARTING: Final = 5
"""While a worker loads PyTorch: three seconds of work, for which a room that has just come in waited.
Not the whole way yet: on a machine that never rests a run's first slice would then wait for minutes.
"""
HEADER: Final = 8  # a frame: its length in so many bytes, then the frame

_DEVICE_ERRORS: Final = frozenset(
    {"DeviceLost", "AcceleratorError", "OutOfMemoryError", "CudaError", "DeferredCudaCallError"}
)
_DEVICE_WORDS: Final = ("CUDA error", "CUDA out of memory", "CUDNN_STATUS", "CUBLAS_STATUS", "No CUDA GPUs")
_DEVICE_WORDS_MISSING: Final = ("not compiled with CUDA", "Found no NVIDIA driver", "invalid device ordinal")


def is_device_error(error: BaseException) -> bool:
    """Whether an exception says that the device is lost, full or not there."""
    if not isinstance(error, RuntimeError | AssertionError):  # PyTorch without CUDA raises AssertionError
        return False
    if any(kind.__name__ in _DEVICE_ERRORS for kind in type(error).__mro__):
        return True
    return any(words in str(error) for words in _DEVICE_WORDS + _DEVICE_WORDS_MISSING)


def write_frame(file: BinaryIO, data: bytes) -> None:
    """Send one frame. Raises OSError when the other end is closed."""
    for part in (len(data).to_bytes(HEADER, "big"), data):
        rest = memoryview(part)
        while rest:
            rest = rest[file.write(rest) :]


def read_frame(file: BinaryIO) -> bytearray:
    """Wait for one frame. Raises EOFError when the other end is closed."""
    return _read(file, int.from_bytes(_read(file, HEADER), "big"))


def _read(file: BinaryIO, size: int) -> bytearray:
    data = bytearray(size)
    rest = memoryview(data)
    while rest:
        got = file.readinto(rest)  # type: ignore[attr-defined]
        if not got:
            raise EOFError("the other end is closed")
        rest = rest[got:]
    return data


def serve(modules: list[str]) -> None:
    """The whole life of a worker process: import `modules` (and call what stands behind a colon), then answer
    calls until the parent is gone.

    A frame from the parent is a pickled (function, arguments); a frame to it (value, exception, its
    traceback as text). Both ends are this program, so nothing that a user made is ever unpickled.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group: the parent decides
    calls = os.fdopen(os.dup(0), "rb", buffering=0)
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)  # what a library prints must not end up among the answers
    inbox: queue.SimpleQueue[bytearray] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(calls, inbox), daemon=True).start()
    for name in modules:
        module, _, function = name.partition(":")
        found = import_module(module)
        if function:
            getattr(found, function)()
    if sys.platform != "win32":
        os.nice(NICENESS - STARTING)  # its first instruction was to lower it by STARTING, see pool.py
    while True:
        answer, leave = _answer(inbox.get())
        try:
            write_frame(answers, answer)
        except OSError:
            break
        if leave:
            break
    os._exit(0)


def _listen(calls: BinaryIO, inbox: queue.SimpleQueue[bytearray]) -> None:
    try:
        while True:
            inbox.put(read_frame(calls))
    except (EOFError, OSError):
        os._exit(0)  # also in the middle of a slice: nobody waits for it any more


def _answer(call: bytearray) -> tuple[bytes, bool]:
    """The answer to one call, and whether to end then: a context lost to CUDA does not come back."""
    try:
        function, arguments = pickle.loads(call)
        return pickle.dumps((function(*arguments), None, ""), pickle.HIGHEST_PROTOCOL), False
    except Exception as error:
        return _failure(error), is_device_error(error)


def _failure(error: Exception) -> bytes:
    text = traceback.format_exc()
    try:
        data = pickle.dumps((None, error, text), pickle.HIGHEST_PROTOCOL)
        pickle.loads(data)  # some exceptions can be written but not read again
    except Exception:
        plain: Any = RuntimeError(f"{type(error).__name__}: {error}")
        return pickle.dumps((None, plain, text), pickle.HIGHEST_PROTOCOL)
    return data
