"""Every compressor by its name."""

from __future__ import annotations

from onnxmem.errors import FactorizationError
from onnxmem.factorize.ablation import Ablation
from onnxmem.factorize.interface import Compressor
from onnxmem.factorize.nmf import Nmf
from onnxmem.factorize.pca import Pca
from onnxmem.factorize.removal import NmfRemoved, PcaRemoved, RandomRemoved

_ALL: tuple[Compressor, ...] = (
    *(Nmf(), Pca(), Ablation()),
    *(NmfRemoved(), PcaRemoved(), RandomRemoved()),
)
_COMPRESSORS: dict[str, Compressor] = {one.name: one for one in _ALL}

COMPRESSORS = tuple(_COMPRESSORS)
"""Their names."""

DEFAULT_COMPRESSORS = ("nmf", "pca", "ablation")
"""Those that an audit takes unless it is told otherwise."""


_SIGNED: dict[str, Compressor] = {
    **_COMPRESSORS,
    "nmf": Nmf(parts=True),
    "nmf_removed": NmfRemoved(parts=True, nmf=Nmf(parts=True)),
}
"""Those for matrices that may be negative."""


def compressor(name: str, *, signed: bool = False) -> Compressor:
    """Return the compressor that is called `name`, for matrices that may be negative or not.

    Raises:
        FactorizationError: there is none of that name.
    """
    if name not in _COMPRESSORS:
        known = ", ".join(_COMPRESSORS)
        raise FactorizationError(f"there is no compressor {name!r}; choose from {known}")
    return (_SIGNED if signed else _COMPRESSORS)[name]
