"""Labelled samples: from files to named arrays, and from these to batches. Knows no models."""

from onnxmem.data.batches import Batch, Selection, draw
from onnxmem.data.npz import load
from onnxmem.data.samples import InputSpec, Samples, make_samples

__all__ = ["Batch", "InputSpec", "Samples", "Selection", "draw", "load", "make_samples"]
