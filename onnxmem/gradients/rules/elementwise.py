"""Arithmetic of several tensors, element by element, and choices between them."""

from __future__ import annotations

from onnxmem.arrays import Array
from onnxmem.gradients.registry import LEARNING, ByInput, Call, rule


@rule("Add", inputs=None)
def _add(call: Call) -> ByInput:
    return dict.fromkeys(call.wanted, call.gradient)


@rule("Sum", inputs=None)
def _sum(call: Call) -> ByInput:
    return dict.fromkeys(call.wanted, call.gradient)


@rule("Mean", inputs=None)
def _mean(call: Call) -> ByInput:
    return dict.fromkeys(call.wanted, call.gradient / len(call.inputs))


@rule("Sub", inputs=None)
def _sub(call: Call) -> ByInput:
    return call.each(lambda: call.gradient, lambda: -call.gradient)


@rule("Mul", inputs=None)
def _mul(call: Call) -> ByInput:
    a, b = call.inputs
    return call.each(lambda: call.gradient * b, lambda: call.gradient * a)


@rule("Div", inputs=None)
def _div(call: Call) -> ByInput:
    b = call.inputs[1]
    return call.each(lambda: call.gradient / b, lambda: -call.gradient * call.y / b)


@rule("Pow", inputs=None)
def _pow(call: Call) -> ByInput:
    """Give the exponent none where the base is zero, whose logarithm is not defined."""
    xp, (base, power) = call.xp, call.inputs
    power = power.astype(base.dtype)

    def of_base() -> Array:
        slope = power * xp.power(base, xp.where(power == 0, power, power - 1))
        return call.gradient * xp.where(power == 0, 0, slope)

    def of_power() -> Array:
        logarithm = xp.log(xp.where(base == 0, 1, base))
        return call.gradient * xp.where(base == 0, 0, call.y * logarithm)

    return call.each(of_base, of_power)


@rule("Max", "Min", inputs=None)
def _extreme(call: Call) -> ByInput:
    """Let inputs that tie share the gradient."""
    ties = sum((one == call.y).astype(call.y.dtype) for one in call.inputs)
    share = call.gradient / ties
    return {at: call.xp.where(call.inputs[at] == call.y, share, 0) for at in call.wanted}


@rule("Where", inputs=(1, 2), indices=(0,))
def _where(call: Call) -> ByInput:
    chosen = call.inputs[0]
    return call.each(lambda: call.gradient, lambda: call.where(chosen), lambda: call.where(~chosen))


@rule("Clip", inputs=None)
def _clip(call: Call) -> ByInput:
    """At a bound the gradient goes to the input."""
    xp, low, high = call.xp, call.input(1), call.input(2)
    least = call.attribute("min", None) if low is None else low
    most = call.attribute("max", None) if high is None else high
    below = call.x < least if least is not None else xp.zeros(call.x.shape, bool)
    raised = call.x if least is None else xp.maximum(call.x, least)
    above = raised > most if most is not None else xp.zeros(call.x.shape, bool)
    return call.each(
        lambda: call.where(~(below | above)),
        lambda: call.where(below & ~above),
        lambda: call.where(above),
    )


@rule("PRelu", inputs=None)
def _prelu(call: Call) -> ByInput:
    xp, (x, slope) = call.xp, call.inputs
    return call.each(
        lambda: xp.where(x > 0, call.gradient, call.gradient * slope),
        lambda: call.gradient * xp.minimum(x, 0),
    )


@rule("Scaler", domain=LEARNING)
def _scaler(call: Call) -> ByInput:
    scale = call.xp.asarray(call.attribute("scale", (1.0,)))
    return {0: call.gradient * scale}
