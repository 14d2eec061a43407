"""Results on disk, found by what they depend on. Knows nothing of what they are."""

from onnxmem.cache.place import default_store
from onnxmem.cache.store import NOWHERE, Store

__all__ = ["NOWHERE", "Store", "default_store"]
