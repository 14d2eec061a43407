"""Approximations of one matrix at many levels: NMF rank sweeps, PCA, ablation, and removal.

interface, registry
                  the contract of a compressor, and all of them by name
nmf, pca, ablation, removal
                  the compressors
sweep, records    the rank sweep as a function of its own, and what it returns
live, sampling, stack, target
                  the matrix: without dead parts, fewer rows, several at once, compressed
rank_grid, chain, starts, seeds, refine
                  NMF: the ranks, all of them, where one starts, from what, how it is improved
kernel            the innermost loops, in NumPy; loading: what is compiled before
compiled          what takes longest, for Numba
device, iteration, launch, graphs, *.cu
                  the same for CUDA
"""

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
from onnxmem.factorize.loading import first_use
from onnxmem.factorize.records import Factors
from onnxmem.factorize.registry import COMPRESSORS, DEFAULT_COMPRESSORS, compressor
from onnxmem.factorize.sweep import nmf_sweep

__all__ = [
    "COMPRESSORS",
    "DEFAULT_COMPRESSORS",
    "DEFAULT_FRACTIONS",
    "Compressed",
    "Compressor",
    "Factors",
    "Run",
    "compressor",
    "default_ranks",
    "first_use",
    "kernel_name",
    "nmf_sweep",
    "one_by_one",
    "relative_error",
]
