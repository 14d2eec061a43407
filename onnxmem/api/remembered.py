"""Audits that were made before: the key of a whole report, from what a call was given.

Files count by their bytes, arrays by a digest of theirs. What is read row by row, and models that
are no files, have no key; such audits know their layers at most.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from onnxmem.api.models import Model
from onnxmem.api.taking import Inputs
from onnxmem.auditing import Settings
from onnxmem.cache import Store, whole
from onnxmem.data import Lazy
from onnxmem.records import Report

_LARGEST = 2**30
"""Bytes of arrays beyond which it takes longer to read them than to go without."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an audit was asked in Python.

    Attributes:
        store: where reports lie.
        model: the network, as it was given.
        given: samples, labels and held-out samples, as they were given, by what they are.
        settings: all the rest.
    """

    store: Store
    model: Model
    given: Mapping[str, Inputs | Sequence[str] | ArrayLike | None]
    settings: Settings

    def key(self) -> str | None:
        """Return the key of the report, None where it may depend on more than can be told."""
        if not self.store.limit or not isinstance(self.model, (str, Path)):
            return None
        files = [str(one) for one in self.given.values() if isinstance(one, (str, Path))]
        try:
            told = {name: _told(value) for name, value in self.given.items()}
        except (ValueError, TypeError):
            return None
        asked = asdict(self.settings) | {"from": "Python", "given": told}
        asked["day"] = whole.today() if self.settings.waivers else ""
        return whole.report_key(str(self.model), files, asked, self.settings.device)

    def recall(self, key: str | None) -> Report | None:
        """Return the report that was kept under a key."""
        return None if key is None else whole.recall(self.store, key)

    def keep(self, key: str | None, report: Report) -> None:
        """Keep a new report, unless what it is of has changed meanwhile."""
        if key is not None and key == self.key():
            whole.keep(self.store, key, report)


def _told(value: Any) -> Any:
    """Return what stands for a value in a key.

    Raises:
        ValueError: it is read row by row, or too large.
    """
    if value is None or isinstance(value, (str, Path)):
        return None if value is None else str(value)
    if isinstance(value, Mapping):
        return {str(name): _told(array) for name, array in value.items()}
    if isinstance(value, Lazy):
        raise ValueError("rows are read when they are needed")
    array = np.asarray(value)
    if array.nbytes > _LARGEST:
        raise ValueError("too large")
    content = repr(array.tolist()).encode() if array.dtype == object else array.tobytes()
    return array.dtype.str, array.shape, hashlib.sha256(content).hexdigest()
