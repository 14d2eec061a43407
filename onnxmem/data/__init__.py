"""Labelled samples: from files to named columns, and from these to batches. Knows no models."""

from onnxmem.data.batches import Batch, Selection, draw
from onnxmem.data.columns import Column, InputSpec, Lazy
from onnxmem.data.extras import EXTRAS, Extra
from onnxmem.data.loading import load
from onnxmem.data.samples import Samples, make_samples

__all__ = [
    "EXTRAS",
    "Batch",
    "Column",
    "Extra",
    "InputSpec",
    "Lazy",
    "Samples",
    "Selection",
    "draw",
    "load",
    "make_samples",
]
