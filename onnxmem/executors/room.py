"""How many tasks an executor runs at once, as far as it tells."""

from __future__ import annotations

import os
from concurrent.futures import Executor
from typing import Any


def room(executor: Executor) -> int:
    """Return how many tasks run at once: of a pool, or of a cluster as it is now."""
    own: Any = getattr(executor, "_max_workers", None)
    if isinstance(own, int):
        return max(1, own)
    client: Any = getattr(executor, "_client", None)
    if hasattr(client, "nthreads"):
        return max(1, sum(map(int, client.nthreads().values())))
    return os.cpu_count() or 1
