"""ONNX in, ONNX out: load a model, find its ReLU tensors, take it apart at any of them.

The only package that imports onnx and onnx_ir.
"""

from onnxmem.graph.activations import other_activations
from onnxmem.graph.batch import free_batch, free_elsewhere, native_batch, whole_batch
from onnxmem.graph.cut import cut_needs, expose, split
from onnxmem.graph.file import data_files
from onnxmem.graph.largest import largest_tensor
from onnxmem.graph.model import load
from onnxmem.graph.outputs import output_form
from onnxmem.graph.patterns import KINDS
from onnxmem.graph.recorded import Recorded, load_recorded, recorded_folders
from onnxmem.graph.records import Cut, Dim, Model, Needs, Part, Site, TensorSpec
from onnxmem.graph.sites import find_sites
from onnxmem.graph.widen import is_half, widen
from onnxmem.graph.write import save, share_weights, untyped, with_input_types, with_types

__all__ = [
    "KINDS",
    "Cut",
    "Dim",
    "Model",
    "Needs",
    "Part",
    "Recorded",
    "Site",
    "TensorSpec",
    "cut_needs",
    "data_files",
    "expose",
    "find_sites",
    "free_batch",
    "free_elsewhere",
    "is_half",
    "largest_tensor",
    "load",
    "load_recorded",
    "native_batch",
    "other_activations",
    "output_form",
    "recorded_folders",
    "save",
    "share_weights",
    "split",
    "untyped",
    "whole_batch",
    "widen",
    "with_input_types",
    "with_types",
]
