"""What shells complete where an option takes words. Nothing heavy is imported before one asks."""

from __future__ import annotations

from collections.abc import Iterable


def devices() -> Iterable[str]:
    """Return devices that there may be."""
    return ("auto", "cpu", "cuda", "cuda:0")


def ranks() -> Iterable[str]:
    """Return the word that ranks may be."""
    return ("auto",)


def compressors() -> Iterable[str]:
    """Return the compressors."""
    from onnxmem.factorize import COMPRESSORS

    return COMPRESSORS


def batches() -> Iterable[str]:
    """Return the kinds of batches."""
    from onnxmem.compression.settings import BATCHES

    return BATCHES


def kinds() -> Iterable[str]:
    """Return kinds of activations, and groups of them."""
    from onnxmem.graph import AUTO, GROUPS, KINDS

    return (AUTO, *GROUPS, *KINDS)


def scores() -> Iterable[str]:
    """Return the scores that a gate may hold up, ready for a threshold."""
    return [f"{name}.{kind}=" for name in compressors() for kind in batches()]


def limits() -> Iterable[str]:
    """Return the values that a gate may hold down, ready for a limit."""
    from onnxmem.auditing.settings import EVIDENCE_KEYS

    return [f"{key}=" for key in EVIDENCE_KEYS]


def figures() -> Iterable[str]:
    """Return the names of all figures."""
    from onnxmem.figures import FIGURES

    return FIGURES
