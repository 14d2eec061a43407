"""One rewriting of a graph each: what it asks of the model, what it does, what then holds."""

from onnxmem.graph.passes.bind import BindInputs, Bound
from onnxmem.graph.passes.blocked import UnblockActivations
from onnxmem.graph.passes.branches import LiftBranches
from onnxmem.graph.passes.functions import inline_functions
from onnxmem.graph.passes.loops import UnrollLoops
from onnxmem.graph.passes.optionals import UnwrapOptionals
from onnxmem.graph.passes.quantized import DequantizeActivations
from onnxmem.graph.passes.sequences import TypeSequences
from onnxmem.graph.passes.training import InferenceMode
from onnxmem.graph.passes.zipmap import replace_zipmaps

__all__ = [
    "BindInputs",
    "Bound",
    "DequantizeActivations",
    "InferenceMode",
    "LiftBranches",
    "TypeSequences",
    "UnblockActivations",
    "UnrollLoops",
    "UnwrapOptionals",
    "inline_functions",
    "replace_zipmaps",
]
