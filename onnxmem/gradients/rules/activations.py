"""Functions of one tensor, element by element: what each multiplies the gradient by."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import MICROSOFT, ByInput, Call, rule

ROOT_OF_2PI = math.sqrt(2 * math.pi)
SMALL = 1e-2
"""Below which the normal distribution is given by its series, whose next term is then 1e-12."""

Slope = Callable[[Call], Array]


def _sigmoid(call: Call, x: Array) -> Array:
    return (call.xp.tanh(x / 2) + 1) / 2


def _normal(call: Call) -> tuple[Array, Array]:
    """Return the cumulative distribution of the standard normal at x, and its density there.

    GELU is x times the former, so that is the output over the input.
    """
    xp, x = call.xp, call.x
    density = xp.exp(-x * x / 2) / ROOT_OF_2PI
    small = abs(x) < SMALL
    series = 0.5 + x * (1 - x * x / 6) / ROOT_OF_2PI
    return xp.where(small, series, call.y / xp.where(small, 1, x)), density


def _gelu(call: Call) -> Array:
    if call.attribute("approximate", "none") == "tanh":
        return _fast_gelu(call)
    below, density = _normal(call)
    return below + call.x * density


def _fast_gelu(call: Call) -> Array:
    """GELU with tanh(√(2/π) (x + 0.044715 x³)) in place of the error function."""
    x, root = call.x, math.sqrt(2 / math.pi)
    inner = call.xp.tanh(root * (x + 0.044715 * x * x * x))
    return (1 + inner) / 2 + x / 2 * (1 - inner * inner) * root * (1 + 3 * 0.044715 * x * x)


def _swish(call: Call, default: float) -> Array:
    alpha = call.attribute("alpha", default)
    gate = _sigmoid(call, alpha * call.x)
    return gate + alpha * call.x * gate * (1 - gate)


def _mish(call: Call) -> Array:
    inner = call.xp.tanh(call.xp.logaddexp(call.x, call.x.dtype.type(0)))
    return inner + call.x * (1 - inner * inner) * _sigmoid(call, call.x)


def _elu(call: Call) -> Array:
    alpha = call.attribute("alpha", 1.0)
    return _below_zero(call, alpha * call.xp.exp(_negative(call)), 1)


def _celu(call: Call) -> Array:
    return _below_zero(call, call.xp.exp(_negative(call) / call.attribute("alpha", 1.0)), 1)


def _selu(call: Call) -> Array:
    alpha = call.attribute("alpha", 1.6732632423543772)
    gamma = call.attribute("gamma", 1.0507009873554805)
    return _below_zero(call, gamma * alpha * call.xp.exp(_negative(call)), gamma)


def _negative(call: Call) -> Array:
    """Return the negative part of x, whose exponential cannot overflow."""
    return call.xp.minimum(call.x, 0)


def _below_zero(call: Call, below: Array | float, above: float) -> Array:
    return _choose(call, call.x > 0, above, below)


def _choose(call: Call, where: Array, yes: Array | float, no: Array | float) -> Array:
    """Return one of two slopes, in the type of x."""
    kind = call.x.dtype.type
    return call.xp.where(
        where, *(kind(one) if isinstance(one, float | int) else one for one in (yes, no))
    )


def _hard_sigmoid(call: Call) -> Array:
    inside = (call.y > 0) & (call.y < 1)
    return _choose(call, inside, call.attribute("alpha", 0.2), 0)


def _hard_swish(call: Call) -> Array:
    """Return the slope of 0 up to -3, of x from 3 on, and of x (x + 3) / 6 between."""
    return _choose(call, call.x <= -3, 0, _choose(call, call.x < 3, call.x / 3 + 0.5, 1))


def _shrink(call: Call) -> Array:
    return abs(call.x) > call.attribute("lambd", 0.5)


SLOPES: dict[str, Slope] = {
    "Abs": lambda call: call.xp.sign(call.x),
    "Acos": lambda call: -1 / call.xp.sqrt(1 - call.x * call.x),
    "Acosh": lambda call: 1 / call.xp.sqrt(call.x * call.x - 1),
    "Asin": lambda call: 1 / call.xp.sqrt(1 - call.x * call.x),
    "Asinh": lambda call: 1 / call.xp.sqrt(call.x * call.x + 1),
    "Atan": lambda call: 1 / (call.x * call.x + 1),
    "Atanh": lambda call: 1 / (1 - call.x * call.x),
    "Celu": _celu,
    "Cos": lambda call: -call.xp.sin(call.x),
    "Cosh": lambda call: call.xp.sinh(call.x),
    "Elu": _elu,
    "Erf": lambda call: 2 / math.sqrt(math.pi) * call.xp.exp(-call.x * call.x),
    "Exp": lambda call: call.y,
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": _hard_swish,
    "LeakyRelu": lambda call: _below_zero(call, call.attribute("alpha", 0.01), 1),
    "Log": lambda call: 1 / call.x,
    "Mish": _mish,
    "Neg": lambda call: -1,
    "Reciprocal": lambda call: -call.y * call.y,
    "Relu": lambda call: call.y > 0,
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": lambda call: call.y * (1 - call.y),
    "Sin": lambda call: call.xp.cos(call.x),
    "Sinh": lambda call: call.xp.cosh(call.x),
    "Softplus": lambda call: _sigmoid(call, call.x),
    "Softsign": lambda call: 1 / (1 + abs(call.x)) ** 2,
    "Sqrt": lambda call: 0.5 / call.y,
    "Swish": partial(_swish, default=1.0),
    "Tan": lambda call: call.y * call.y + 1,
    "Tanh": lambda call: 1 - call.y * call.y,
    "ThresholdedRelu": lambda call: call.x > call.attribute("alpha", 1.0),
}
"""The derivative of each function at x, whose value is y; truths let the gradient through or not.

Truths are not multiplied by, so that an infinite gradient that is stopped leaves no NaN.
"""

OF_MICROSOFT: dict[str, Slope] = {
    "FastGelu": _fast_gelu,
    "Gelu": _gelu,
    "QuickGelu": partial(_swish, default=1.702),
}


def _times(slope: Slope, call: Call) -> ByInput:
    factor = slope(call)
    if getattr(factor, "dtype", factor) == np.bool_:
        return {0: call.where(factor)}
    return {0: call.gradient * factor}


for _name, _slope in SLOPES.items():
    rule(_name)(partial(_times, _slope))
for _name, _slope in OF_MICROSOFT.items():
    rule(_name, domain=MICROSOFT)(partial(_times, _slope))
