"""Approximations of one matrix at many levels: NMF rank sweeps, PCA, random ablation."""

from onnxmem.factorize.interface import (
    DEFAULT_FRACTIONS,
    Compressed,
    Compressor,
    Run,
    default_ranks,
    one_by_one,
    relative_error,
)
from onnxmem.factorize.kernel import kernel_name
from onnxmem.factorize.records import Factors
from onnxmem.factorize.registry import COMPRESSORS, compressor
from onnxmem.factorize.sweep import nmf_sweep

__all__ = [
    "COMPRESSORS",
    "DEFAULT_FRACTIONS",
    "Compressed",
    "Compressor",
    "Factors",
    "Run",
    "compressor",
    "default_ranks",
    "kernel_name",
    "nmf_sweep",
    "one_by_one",
    "relative_error",
]
