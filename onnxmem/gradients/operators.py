"""Runs single operators on a device."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from onnxmem.arrays import Array
from onnxmem.graph import Operator, operator_part
from onnxmem.runtime import Device, Session

OPSET = 17
"""The version of the operators that rules run beside those of the model."""


class Operators:
    """Compiles an operator for the types that it gets when it is first needed, and keeps it."""

    def __init__(self, device: Device) -> None:
        self.device = device
        self._sessions: dict[tuple[object, ...], Session] = {}

    @property
    def xp(self) -> ModuleType:
        """The array library of the device."""
        return self.device.namespace

    def run(
        self, operator: Operator, inputs: Sequence[Array | None], outputs: int = 1
    ) -> list[Array]:
        """Return the outputs of `operator`; an input of None is left out.

        Raises:
            ModelRefusedError: onnxruntime does not take it.
        """
        types = tuple(None if one is None else np.dtype(one.dtype).name for one in inputs)
        attributes = tuple(sorted(operator.attributes.items()))
        key = (operator.op, operator.domain, operator.version, attributes, types, outputs)
        if key not in self._sessions:
            part = operator_part(operator, types, outputs)
            self._sessions[key] = Session(part, self.device)
        feeds = {f"i{at}": self.xp.asarray(one) for at, one in enumerate(inputs) if one is not None}
        return self._sessions[key].run(feeds)

    def one(self, op: str, *inputs: Array | None, **attributes: Any) -> Array:
        """Return the only output of one of ONNX's own operators."""
        (result,) = self.run(Operator(op, OPSET, attributes=attributes), inputs)
        return result
