"""Results on disk, found by what they depend on.

`store` and `place` keep bytes and know nothing of what these are; `whole` keeps reports and pages;
`surroundings` tells what results depend on besides what was asked; `scratch` makes temporary
folders.
"""

from onnxmem.cache.place import default_store, lenient_store
from onnxmem.cache.store import NOWHERE, Store
from onnxmem.cache.surroundings import code_identity

__all__ = ["NOWHERE", "Store", "code_identity", "default_store", "lenient_store"]
