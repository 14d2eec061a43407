"""Which nodes of a network lie in which segment: behind the earlier ends, and before an end."""

from __future__ import annotations

from collections.abc import Sequence

from onnxmem.gradients.weights import plain
from onnxmem.graph import Model, steps


def segment_numbers(model: Model, ends: Sequence[str]) -> dict[str, int]:
    """Return the number of its segment for each tensor that leads to one of the `ends`.

    A node that several segments share counts for the first of them. Fused operators are taken
    apart, as gradients take them.

    Args:
        model: the network.
        ends: the tensors that segments end with, in the order of the network.
    """
    made = {name: step for step in steps(plain(model)) for name in step.outputs}
    found: dict[str, int] = {}
    for number, end in enumerate(ends):
        pending = [end]
        while pending:
            name = pending.pop()
            if name in found or name not in made:
                continue
            step = made[name]
            found.update(dict.fromkeys(filter(None, step.outputs), number))
            pending += [*filter(None, step.inputs), *step.captured]
    return found
