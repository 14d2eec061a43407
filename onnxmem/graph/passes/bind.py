"""Fix inputs of a model for good (`--bind NAME=VALUE`)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import onnx_ir as ir

from onnxmem.errors import UsageError

Bound = bool | int | float | str
"""What an input can be bound to: one value, which fills the whole input."""


class BindInputs(ir.passes.InPlacePass):
    """Replace inputs by initializers.

    Requires: every name is an input of the model. Ensures: it no longer is.
    A symbolic dimension of a bound input becomes 1.
    """

    def __init__(self, values: Mapping[str, Bound]) -> None:
        super().__init__()
        self.values = values

    def requires(self, model: ir.Model) -> None:
        """Check the names.

        Raises:
            UsageError: One of them is no input.
        """
        names = [value.name for value in model.graph.inputs]
        for name in self.values:
            if name not in names:
                raise UsageError(
                    f"cannot bind {name!r}: the model's inputs are {', '.join(map(str, names))}"
                )

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Bind."""
        graph = model.graph
        for value in [value for value in graph.inputs if value.name in self.values]:
            array = _filled(value, self.values[value.name or ""])
            graph.inputs.remove(value)
            value.const_value = ir.tensor(array, name=value.name)
            value.shape = ir.Shape(array.shape)
            graph.register_initializer(value)
        return ir.passes.PassResult(model, modified=bool(self.values))


def _filled(value: ir.Value, content: Bound) -> np.ndarray:
    shape = [dim if isinstance(dim, int) else 1 for dim in value.shape or ()]
    try:
        dtype = value.dtype.numpy() if value.dtype is not None else None
        return np.full(shape, np.asarray(content).astype(dtype), dtype=dtype)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"cannot bind {value.name!r} to {content!r}: the input holds {value.dtype}"
        ) from error
