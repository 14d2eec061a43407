"""ONNX in, ONNX out: load a model, find its activations, take it apart at any of them.

The only package that imports onnx and onnx_ir.

    model             loads a model: `file` reads it, from where `links` allows; `soundness` checks
                      it, `normalise` brings it into one form with the help of `passes`; `inference`
                      finds types and sizes, for which `annotate` asks onnx
    records           what is handed out: models, sites, cuts, parts
    sites             finds the tensors to cut at, by `kinds` of activations; `gates` sorts out
                      what only looks like a ReLU
    quantized, signs, constants, flow, ops
                      what the graph tells of a tensor before any run
    axes, outputs, largest, tables
                      feature axes, forms of outputs, sizes, which inputs are words
    crossing          what many cuts need
    cut, segment      take a model apart; `pieces` and `write` make parts and files
    batch, widen, unfuse
                      frees a batch size, widens half precision, takes fused operators apart
    masked            lets units be switched off
    steps             the nodes as plain records, and models of one operator
    recorded          test cases beside a model
"""

from onnxmem.graph.batch import free_batch, free_elsewhere, native_batch, whole_batch
from onnxmem.graph.crossing import all_needs
from onnxmem.graph.cut import compute, cut_needs, cut_sides, expose, split
from onnxmem.graph.file import data_files
from onnxmem.graph.kinds.registry import AUTO, GROUPS, KINDS
from onnxmem.graph.largest import largest_fixed, largest_tensor
from onnxmem.graph.masked import masked
from onnxmem.graph.model import load
from onnxmem.graph.outputs import output_form
from onnxmem.graph.quantized import is_quantized
from onnxmem.graph.recorded import Recorded, load_recorded, recorded_folders
from onnxmem.graph.records import Cut, Dim, Model, Needs, Part, Sides, Site, TensorSpec
from onnxmem.graph.segment import Segment, segment
from onnxmem.graph.sites import find_sites, other_activations
from onnxmem.graph.steps import Operator, Step, constant, constants, operator_part, steps
from onnxmem.graph.tables import looked_up
from onnxmem.graph.unfuse import unfuse
from onnxmem.graph.widen import is_half, widen
from onnxmem.graph.write import (
    save,
    share_weights,
    untyped,
    with_input_types,
    with_named_nodes,
    with_types,
)

__all__ = [
    "compute",
    "unfuse",
    "steps",
    "operator_part",
    "constants",
    "constant",
    "Step",
    "Operator",
    "AUTO",
    "GROUPS",
    "KINDS",
    "Cut",
    "Dim",
    "Model",
    "Needs",
    "Part",
    "Recorded",
    "Segment",
    "Sides",
    "Site",
    "TensorSpec",
    "all_needs",
    "cut_needs",
    "cut_sides",
    "data_files",
    "expose",
    "find_sites",
    "free_batch",
    "free_elsewhere",
    "is_half",
    "largest_fixed",
    "is_quantized",
    "largest_tensor",
    "load",
    "load_recorded",
    "looked_up",
    "masked",
    "native_batch",
    "other_activations",
    "output_form",
    "recorded_folders",
    "save",
    "share_weights",
    "segment",
    "split",
    "untyped",
    "whole_batch",
    "widen",
    "with_input_types",
    "with_named_nodes",
    "with_types",
]
