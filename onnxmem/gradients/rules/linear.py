"""Products of matrices and of more."""

from __future__ import annotations

from collections.abc import Collection
from string import ascii_letters

import numpy as np

from onnxmem.arrays import Array
from onnxmem.gradients.registry import MICROSOFT, ByInput, Call, rule
from onnxmem.graph import Step


@rule("MatMul", inputs=None)
def _matmul(call: Call) -> ByInput:
    a, b = call.inputs
    return _of_product(call, a, b, call.gradient)


def _of_product(call: Call, a: Array, b: Array, gradient: Array) -> ByInput:
    """Go back through a @ b, where vectors are matrices of one row or column."""
    rows, columns = a[None] if a.ndim == 1 else a, b[:, None] if b.ndim == 1 else b
    if b.ndim == 1:
        gradient = gradient[..., None]
    if a.ndim == 1:
        gradient = gradient[..., None, :]

    def of_first() -> Array:
        return _like(_times(gradient, columns.swapaxes(-1, -2)), a)

    def of_second() -> Array:
        if columns.ndim == 2:
            return _like(_flat(rows).T @ _flat(gradient), b)
        return _like(rows.swapaxes(-1, -2) @ gradient, b)

    return call.each(of_first, of_second)


def _times(a: Array, b: Array) -> Array:
    """Return a @ b; many matrices by one are one product."""
    return (_flat(a) @ b).reshape(*a.shape[:-1], b.shape[-1]) if b.ndim == 2 else a @ b


def _flat(array: Array) -> Array:
    """Return the rows of all matrices as one matrix."""
    return array.reshape(-1, array.shape[-1])


def _like(gradient: Array, operand: Array) -> Array:
    """Return the gradient of an operand; that of a vector is summed over all products."""
    if operand.ndim > 1:
        return gradient
    return gradient.reshape(-1, operand.shape[0]).sum(axis=0, dtype=np.float64)


@rule("Gemm", inputs=None)
def _gemm(call: Call) -> ByInput:
    a, b = call.inputs[:2]
    first, second = call.attribute("transA", 0), call.attribute("transB", 0)
    alpha, beta = call.attribute("alpha", 1.0), call.attribute("beta", 1.0)
    scaled = call.gradient if alpha == 1 else call.gradient * alpha
    rows, columns = a.T if first else a, b.T if second else b

    def of_first() -> Array:
        found = scaled @ columns.T
        return found.T if first else found

    def of_second() -> Array:
        found = rows.T @ scaled
        return found.T if second else found

    return call.each(of_first, of_second, lambda: call.gradient * beta)


def _swaps_batches(step: Step, constants: Collection[str]) -> str:
    swapped = any(step.operator.attributes.get(name, 0) for name in ("transBatchA", "transBatchB"))
    return "it transposes batches" if swapped else ""


@rule("FusedMatMul", "TransposeMatMul", domain=MICROSOFT, inputs=None, refuses=_swaps_batches)
def _fused_matmul(call: Call) -> ByInput:
    turned = [call.attribute(name, 0) and call.inputs[at].ndim > 1
              for at, name in enumerate(("transA", "transB"))]  # fmt: skip
    a, b = (
        one.swapaxes(-1, -2) if turn else one for one, turn in zip(call.inputs, turned, strict=True)
    )
    found = _of_product(call, a, b, call.gradient * call.attribute("alpha", 1.0))
    return {at: one.swapaxes(-1, -2) if turned[at] else one for at, one in found.items()}


def _repeats(step: Step, constants: Collection[str]) -> str:
    equation = str(step.operator.attributes.get("equation", "")).replace(" ", "")
    terms = equation.partition("->")[0].split(",")
    repeated = any(
        term.replace(".", "").count(one) > 1 for term in terms for one in {*term} - {"."}
    )
    return f"its equation {equation} takes diagonals" if repeated else ""


@rule("Einsum", inputs=None, refuses=_repeats)
def _einsum(call: Call) -> ByInput:
    """Give each input the product of the gradient and of the other inputs.

    Where an input was summed over an index that nothing else has, or has in one place only, the
    gradient is repeated.
    """
    terms, result = _spelled_out(call)
    found = {}
    for at in call.wanted:
        others = [place for place in range(len(terms)) if place != at]
        known = {*result}.union(*(terms[place] for place in others))
        product = call.xp.einsum(
            ",".join((result, *(terms[place] for place in others)))
            + "->"
            + "".join(index for index in terms[at] if index in known),
            call.gradient,
            *(call.inputs[place] for place in others),
            optimize=True,
        )
        for axis, index in enumerate(terms[at]):
            if index not in known:
                product = product[(slice(None),) * axis + (None,)]
        both = zip(product.shape, call.inputs[at].shape, strict=True)
        sizes = [size if made == 1 else made for made, size in both]
        found[at] = call.xp.broadcast_to(product, sizes)
    return found


def _spelled_out(call: Call) -> tuple[list[str], str]:
    """Return the indices of each input and of the result, with letters in place of dots."""
    equation = call.attribute("equation", "").replace(" ", "")
    left, arrow, right = equation.partition("->")
    terms = left.split(",")
    hidden = [
        one.ndim - len(term.replace("...", "")) if "..." in term else 0
        for term, one in zip(terms, call.inputs, strict=True)
    ]
    free = [letter for letter in ascii_letters if letter not in equation]
    dots = "".join(free[: max(hidden)])
    spelled = [
        term.replace("...", dots[len(dots) - count :])
        for term, count in zip(terms, hidden, strict=True)
    ]
    if arrow:
        return spelled, right.replace("...", dots)
    once = sorted(index for index in {*left} - {*",."} if left.count(index) == 1)
    return spelled, dots + "".join(once)
