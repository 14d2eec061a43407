"""Approximations of one matrix at many levels: NMF rank sweeps, PCA, random ablation."""

from onnxmem.factorize.interface import (
    DEFAULT_FRACTIONS,
    Compressed,
    Compressor,
    default_ranks,
    relative_error,
)
from onnxmem.factorize.records import Factors
from onnxmem.factorize.registry import compressor
from onnxmem.factorize.sweep import nmf_sweep

__all__ = [
    "DEFAULT_FRACTIONS",
    "Compressed",
    "Compressor",
    "Factors",
    "compressor",
    "default_ranks",
    "nmf_sweep",
    "relative_error",
]
