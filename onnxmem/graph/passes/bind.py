"""Fix inputs of a model for good (`--bind NAME=VALUE`)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx_ir as ir

from onnxmem.errors import UsageError

Bound = bool | int | float | str | Sequence[Any]
"""What an input can be bound to: one value, which fills the whole input, or all of its values.

A text is read as the input's type asks; values are separated by commas.
"""

WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
"""The texts that an input of booleans takes."""


class BindInputs(ir.passes.InPlacePass):
    """Replace inputs by initializers.

    Requires: every name is an input of the model. Ensures: it no longer is.
    A symbolic dimension of a bound input is as large as the number of values asks, else 1.
    """

    def __init__(self, values: Mapping[str, Bound]) -> None:
        super().__init__()
        self.values = values

    def requires(self, model: ir.Model) -> None:
        """Check the names.

        Raises:
            UsageError: One of them is no input, or no input would be left.
        """
        names = [value.name for value in model.graph.inputs]
        for name in self.values:
            if name not in names:
                raise UsageError(
                    f"cannot bind {name!r}: the model's inputs are {', '.join(map(str, names))}"
                )
        if names and self.values.keys() >= set(names):
            raise UsageError(
                f"cannot bind {', '.join(map(repr, self.values))}: no input would be left to "
                "feed samples to; bind those alone that are the same for all samples"
            )

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Bind."""
        graph = model.graph
        for value in [value for value in graph.inputs if value.name in self.values]:
            array = _array(value, self.values[value.name or ""])
            graph.inputs.remove(value)
            value.const_value = _tensor(array, value)
            value.shape = ir.Shape(array.shape)
            graph.register_initializer(value)
        return ir.passes.PassResult(model, modified=bool(self.values))


def _tensor(array: np.ndarray, value: ir.Value) -> ir.TensorProtocol:
    if value.dtype != ir.DataType.STRING:
        return ir.tensor(array, dtype=value.dtype, name=value.name)
    texts = np.array([text.encode() for text in array.flat], dtype=object)
    return ir.StringTensor(texts.reshape(array.shape), name=value.name)


def _array(value: ir.Value, content: Bound) -> np.ndarray:
    if not isinstance(value.type, ir.TensorType):
        raise UsageError(f"cannot bind {value.name!r}: it holds {value.type}, not a tensor")
    try:
        items = [_read(item, value.type.dtype) for item in _items(value, content)]
    except (OverflowError, TypeError, ValueError) as error:
        raise UsageError(
            f"cannot bind {value.name!r} to {_shown(content)}: the input holds "
            f"{value.type.dtype.name}{_example(value.type.dtype)}"
        ) from error
    if value.type.dtype == ir.DataType.STRING:
        array = np.array(items, dtype=object)
    else:
        array = np.array(items).astype(value.type.dtype.numpy())
    shape = _shape(value, len(items))
    return np.resize(array, shape) if len(items) == 1 else array.reshape(shape)


def _items(value: ir.Value, content: Bound) -> list[Any]:
    """Return the values one by one; a text is taken apart where the input holds several."""
    if not isinstance(content, str):
        return list(np.asarray(content).flat)
    sizes = list(value.shape) if value.shape is not None else [None]
    is_one = all(size == 1 for size in sizes)
    if is_one and value.dtype == ir.DataType.STRING:
        return [content]
    return [part.strip() for part in content.strip("[]() ").split(",")]


def _read(item: Any, dtype: ir.DataType) -> Any:
    """Return one value as `dtype` holds it.

    Raises:
        ValueError, TypeError, OverflowError: it is no such value.
    """
    if dtype == ir.DataType.STRING:
        return str(item)
    if dtype == ir.DataType.BOOL:
        return WORDS[str(item).casefold()] if str(item).casefold() in WORDS else _fail(item)
    if dtype.is_floating_point():
        number = float(item)
        with np.errstate(over="ignore"):
            held = float(np.array(number).astype(dtype.numpy()))
        return number if math.isfinite(held) == math.isfinite(number) else _fail(item)
    whole = int(item) if isinstance(item, str) or int(item) == item else _fail(item)
    return whole if int(np.array(whole).astype(dtype.numpy())) == whole else _fail(item)


def _fail(item: Any) -> Any:
    raise ValueError(item)


def _example(dtype: ir.DataType) -> str:
    if dtype == ir.DataType.BOOL:
        return ", so true or false"
    if dtype.is_integer():
        return ", so whole numbers in its range, such as 3 or 1,2"
    return ", so numbers in its range, such as 0.5 or 1,2" if dtype.is_floating_point() else ""


def _shape(value: ir.Value, count: int) -> tuple[int, ...]:
    """Return the sizes of the input when it holds `count` values, or one everywhere."""
    if value.shape is None:
        return () if count == 1 else (count,)
    sizes = [size if isinstance(size, int) and size > 0 else None for size in value.shape]
    fixed = math.prod(size for size in sizes if size is not None)
    free = sizes.count(None)
    if count == 1:
        return tuple(size or 1 for size in sizes)
    if fixed == count or (free and count % fixed == 0):
        rest = iter([count // fixed] + [1] * free)
        return tuple(next(rest) if size is None else size for size in sizes)
    raise UsageError(
        f"cannot bind {value.name!r} to {count} values: the input takes "
        f"({', '.join('?' if size is None else str(size) for size in sizes)})"
    )


def _shown(content: Bound) -> str:
    text = repr(content)
    return text if len(text) <= 80 else f"{text[:77]}..."
