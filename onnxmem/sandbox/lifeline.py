"""A process that ends with its parent: what it listens to is closed when the parent is gone."""

from __future__ import annotations

import os
import signal
import threading


def end_with_parent(descriptor: int) -> None:
    """End this process, and its group if it leads one, once `descriptor` comes to its end."""
    threading.Thread(target=_listen, args=(descriptor,), name="onnxmem-life", daemon=True).start()


def _listen(descriptor: int) -> None:
    while os.read(descriptor, 1):
        pass
    if hasattr(os, "killpg") and os.getpgid(0) == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(4)
