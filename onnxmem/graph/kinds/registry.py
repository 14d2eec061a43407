"""All kinds of activations, and the groups that they are asked for by."""

from __future__ import annotations

from onnxmem.graph.kinds.arithmetic import ABS, EXP, SOFTMAX
from onnxmem.graph.kinds.blocks import BLOCK
from onnxmem.graph.kinds.gated import GLU
from onnxmem.graph.kinds.gated_by_itself import GELU, HARD_SWISH, MISH, SILU
from onnxmem.graph.kinds.leaky import CELU, ELU, LEAKY_RELU, PRELU, SELU, THRESHOLDED_RELU
from onnxmem.graph.kinds.recurrent import GRU, LSTM
from onnxmem.graph.kinds.relu import RELU
from onnxmem.graph.kinds.squashing import HARD_SIGMOID, SIGMOID, SOFTPLUS, SOFTSIGN, TANH

ALL = (
    RELU, SIGMOID, HARD_SIGMOID, SOFTPLUS, SOFTMAX, EXP, ABS,
    GELU, SILU, HARD_SWISH, MISH, SELU, ELU, CELU, LEAKY_RELU, PRELU, THRESHOLDED_RELU, SOFTSIGN,
    TANH, GLU, LSTM, GRU, BLOCK,
)  # fmt: skip
"""Where the numbers of two kinds are alike, the first one is meant: SELU is an ELU, too."""

KINDS = {kind.name: kind for kind in ALL}

_UNITS = tuple(kind for kind in ALL if kind.of_units)
GROUPS = {
    "any": tuple(kind.name for kind in _UNITS),
    "nonnegative": tuple(kind.name for kind in _UNITS if not kind.signed),
    "signed": tuple(kind.name for kind in _UNITS if kind.signed),
}
"""Names that stand for several kinds."""

AUTO = "auto"
"""Stands for ReLUs where there are any, else for what there is."""
