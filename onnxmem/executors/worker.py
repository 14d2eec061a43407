"""The process behind `processes`: reads calls from its standard input, and answers them.

    python -P -m onnxmem.executors.worker

Calls come from the process that started this one and are pickled; answers are JSON, so that what
runs here cannot make its parent run anything. The process ends when its input does, which is when
its parent ends: at once in the middle of a call, else after it has tidied up.
"""

from __future__ import annotations

import os
import pickle
import queue
import threading
from contextlib import suppress
from typing import BinaryIO

import msgspec

from onnxmem.executors.messages import Answer, read, write


def main() -> None:
    """Answer calls until there are no more."""
    answers, calls = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)  # what libraries print is no answer
    given: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    busy = threading.Event()
    threading.Thread(target=_read_all, args=(calls, given, busy), daemon=True).start()
    while content := given.get():
        busy.set()
        write(answers, msgspec.json.encode(_answer(content)))
        busy.clear()


def _read_all(calls: BinaryIO, given: queue.SimpleQueue[bytes], busy: threading.Event) -> None:
    """Read calls until the parent ends, and end with it."""
    with suppress(EOFError):
        while True:
            given.put(read(calls, None))
    if busy.is_set():
        os._exit(0)
    given.put(b"")


def _answer(call: bytes) -> Answer:
    try:
        function, arguments = pickle.loads(call)
        return Answer(function(*arguments))
    except MemoryError as error:
        return Answer(error="MemoryError", message=str(error))
    except Exception as error:  # noqa: BLE001 - whatever it is, the parent is told
        return Answer(error=type(error).__name__, message=str(error))


if __name__ == "__main__":
    main()
