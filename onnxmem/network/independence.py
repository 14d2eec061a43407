"""Does axis 0 count samples that do not touch each other? Asked by running the model.

There are four questions about batches, each decided where its answer is used:

- `check_independent`, here: does axis 0 count samples at all? If not, there is no audit.
- `Classifier.is_separable`: does the size of a batch matter? If not, batches run in pieces.
- `stacking.find_stacker`: do batches touch in a tail? If not, several may go through it together.
- `evaluation.evaluate`: did every sample get one output in both of its batches? If so, what is
  done to each sample by itself is measured on one kind of batch, and the result holds for both.

A model that quantises by the range of its batch passes the first and none of the others.

The graph does not tell: axis 0 may be time, or the members of a set that attend to each other.
Reversing the samples is not enough of a test, because attention is reversed with them; repeating
some in place of others changes what is attended to, and what comes before what.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, namespace, take_rows
from onnxmem.data import Column
from onnxmem.errors import InconclusiveError, ModelRefusedError
from onnxmem.network.classifier import PROBED, Classifier, check_scores, elsewhere
from onnxmem.network.outputs import TOLERANCE, deviation


def mixed_up(count: int) -> np.ndarray:
    """Return rows (count,) that repeat the later half of the samples, the last one first."""
    return count - 1 - np.arange(count) // 2


def check_independent(classifier: Classifier, inputs: Mapping[str, Column]) -> None:
    """Check that the output for one sample depends on nothing but that sample.

    A model that quantises by the range of its batch is not refused: its tail gets the very batches
    that were captured, each by itself (`stacking.find_stacker`).

    Args:
        classifier: the untouched network.
        inputs: all samples, on the host.

    Raises:
        InconclusiveError: the output depends on other samples, or on chance, or is not finite.
    """
    network = classifier.network
    count = network.batch or min(PROBED, *map(len, inputs.values()))
    if count < 2 or count > min(map(len, inputs.values())) or graph.whole_batch(network.model):
        return

    def output(rows: np.ndarray) -> Array:
        feeds = network.feeds({name: array[rows] for name, array in inputs.items()})
        return classifier.session.run(feeds | dict(classifier.shared), [network.output])[0]

    straight, mixed = np.arange(count), mixed_up(count)
    expected = output(straight)
    if getattr(expected, "shape", ())[:1] != (count,) or not expected.size:
        return
    check_scores(network, expected)
    if deviation(output(straight), expected) > TOLERANCE:
        raise InconclusiveError(
            f"{network.model.path} gives something else in every run; "
            "export it without its random operators"
        )
    if deviation(output(mixed), take_rows(expected, mixed)) > TOLERANCE:
        raise InconclusiveError(
            f"{network.model.path} does not treat samples independently: what output "
            f"{network.output!r} holds for one depends on the others of its batch. Either axis 0 "
            "of the inputs does not count samples, or the model mixes them"
            f"{elsewhere(network.model)}"
        )


Run = Callable[[Mapping[str, np.ndarray]], list[Array]]


def find_sample_axis(
    inputs: Mapping[str, np.ndarray], run: Run, outputs: Sequence[Array]
) -> tuple[int | None, dict[str, np.ndarray]]:
    """Return the axis of the inputs that counts independent samples, and the inputs mixed up.

    Tries axis 0, then axis 1. Where neither is such an axis the inputs come mixed up along axis 0.

    Args:
        inputs: what the model is fed for each sample.
        run: gives the outputs for other inputs.
        outputs: those for `inputs`.
    """
    for axis in (0, 1):
        turned = _mix(inputs, axis)
        try:
            found = run(turned) if turned else []
        except ModelRefusedError:
            continue
        if found and all(
            axis_that_follows(one, other) is not None
            for one, other in zip(found, outputs, strict=True)
        ):
            return axis, turned
    return None, _mix(inputs, 0) or dict(inputs)


def _mix(inputs: Mapping[str, np.ndarray], axis: int) -> dict[str, np.ndarray]:
    """Return the inputs mixed up along `axis`; nothing where they disagree on its size."""
    sizes = {array.shape[axis] for array in inputs.values() if array.ndim > axis}
    if len(sizes) != 1 or min(sizes) < 2:
        return {}
    rows = mixed_up(sizes.pop())
    return {
        name: array.take(rows, axis) if array.ndim > axis else array
        for name, array in inputs.items()
    }


def axis_that_follows(mixed: Array, straight: Array) -> int | None:
    """Return the axis along which `mixed` is `straight` mixed up, None where there is none."""
    if not hasattr(straight, "shape") or getattr(mixed, "shape", None) != straight.shape:
        return None
    xp = namespace(straight)
    for axis, size in enumerate(straight.shape):
        rows = xp.asarray(mixed_up(size))
        if size > 1 and deviation(mixed, straight.take(rows, axis)) <= TOLERANCE:
            return axis
    return None
