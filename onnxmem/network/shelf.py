"""Large arrays that are filled part by part: in memory, or in files where that holds too little."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from onnxmem.errors import OutOfMemoryError


class Shelf:
    """Arrays in memory as long as it holds them, then in files."""

    def __init__(self, folder: Path, memory: int) -> None:
        """Hold nothing yet; `memory` bytes lie in memory, the rest in files of `folder`."""
        self._folder, self._left, self._files = folder, memory, 0

    def room(self, samples: int, features: int) -> np.ndarray:
        """Return an empty array (samples, features) float32.

        Raises:
            OutOfMemoryError: the disk has no room for it.
        """
        size = 4 * samples * features
        if size <= self._left:
            self._left -= size
            return np.empty((samples, features), np.float32)
        if size > shutil.disk_usage(self._folder).free:
            raise OutOfMemoryError(
                f"features of {samples} samples need {size / 2**30:.2g} GiB of {self._folder}, "
                "which has less; use a larger --memory, or set TMPDIR"
            )
        self._files += 1
        path = self._folder / f"features-{self._files}.npy"
        return np.lib.format.open_memmap(path, "w+", np.float32, (samples, features))
