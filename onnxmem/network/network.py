"""A model that is ready to be audited: its sessions, its output, and its own answers.

Hides from the rest that a model may take only batches of one size, that half precision is
widened on the CPU, and which of several outputs classifies.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from onnxmem import graph
from onnxmem.arrays import Array, free_memory, to_host
from onnxmem.cache.scratch import scratch_folder
from onnxmem.data import Column
from onnxmem.errors import ModelRefusedError, OutOfMemoryError, UsageError
from onnxmem.network.memory import piece_size, pieces_at_once
from onnxmem.network.outputs import TOLERANCE, choose_output, deviation
from onnxmem.network.settings import RunSettings
from onnxmem.network.workers import ALONE, Workers
from onnxmem.runtime import Device, Session
from onnxmem.sizes import size_text

_ELEMENT_BYTES = 4


@dataclass(frozen=True, slots=True)
class Network:
    """A prepared model.

    Attributes:
        model: the model that is cut; batch size free, weights shared between its parts.
        output: the output that classifies.
        form: what that output holds: softmax, sigmoid, linear, labels, ...
        batch: the only batch size that the model takes, None where any.
        device: where it runs.
        exact: without the optimizations that round.
        prepack: bring weights into the layout that runs fastest, at a cost for every session.
        largest: bytes of the largest tensor that it makes of one sample, as far as that is known.
        memory: bytes that activations may take.
        workers: what works on several batches at once.
    """

    model: graph.Model
    output: str
    form: str
    batch: int | None
    device: Device
    exact: bool
    prepack: bool = True
    largest: int = 0
    memory: int = sys.maxsize
    workers: Workers = ALONE

    def session(self, part: graph.Part, profile: Path | None = None) -> Session:
        """Compile a part of the model; with `profile` it notes there how long each node takes."""
        return Session(part, self.device, exact=self.exact, prepack=self.prepack, profile=profile)

    def session_for(self, part: graph.Part, arrays: Mapping[str, Array], samples: int) -> Session:
        """Compile a part for inputs of the types and sizes of `arrays`, which hold so many samples.

        Axes that may follow the batch stay free. That is every axis whose size is a multiple of
        the number of samples: batches lie along axis 0 alone only in the plainest networks.
        """
        types = {
            name: (
                np.dtype(array.dtype).name,
                tuple(None if size % samples == 0 else int(size) for size in array.shape),
            )
            for name, array in arrays.items()
        }
        return self.session(graph.with_input_types(part, types))

    def largest_after(self, tensor: str) -> int:
        """Return what `largest` is for the tail of a tensor, which is counted too."""
        return graph.largest_tensor(self.model, tensor) * _ELEMENT_BYTES

    def feeds(self, inputs: Mapping[str, np.ndarray]) -> dict[str, Array]:
        """Return the arrays on the device; see `feed`."""
        return feed(inputs, self.device)

    def together(self, samples: int) -> int:
        """Return how many of so many samples run together, where they may run in any grouping."""
        return self.batch or piece_size(self.largest, samples, self.memory)

    def at_once(self, samples: int, workers: int) -> int:
        """Return how many pieces of so many samples may run at once."""
        return pieces_at_once(self.largest, samples, self.memory, workers)

    def predict(self, output: Array) -> np.ndarray:
        """Return the predicted class of each sample (samples,), from the output that classifies.

        Where NaN is among the scores no class is predicted: -1.
        """
        values = to_host(output)
        values = values.reshape(len(values), -1) if values.ndim > 2 else values
        one_value = values.ndim == 1 or values.shape[1] == 1
        if self.form == "labels" and one_value:
            return values.reshape(len(values)).astype(np.int64)
        if one_value:
            middle = 0.5 if self.form == "sigmoid" else 0.0
            predicted = (values.reshape(len(values)) > middle).astype(np.int64)
        else:
            predicted = values.argmax(axis=1)
        lost = np.isnan(values.reshape(len(values), -1)).any(axis=1)
        return np.where(lost, -1, predicted)


def feed(inputs: Mapping[str, np.ndarray], device: Device) -> dict[str, Array]:
    """Return the arrays on a device.

    Raises:
        UsageError: there is text among them, and the device is none that takes it.
    """
    if not device.is_cuda:
        return dict(inputs)
    if any(array.dtype.kind in "OUS" for array in inputs.values()):
        raise UsageError("inputs of text run on the CPU only; use --device cpu")
    xp = device.namespace
    return {name: xp.asarray(array) for name, array in inputs.items()}


@contextmanager
def prepare(
    model: graph.Model,
    inputs: Mapping[str, Column],
    shared: Mapping[str, np.ndarray],
    device: Device,
    settings: RunSettings,
) -> Iterator[Network]:
    """Prepare `model` to be asked; its shared weights live as long as the context.

    Args:
        model: as it was loaded, half precision widened where the device computes in single.
        inputs: samples, some of which are tried where the batch size is fixed.
        shared: inputs that all samples have in common.
        device: where to run.
        settings: how it is run.

    Raises:
        ModelRefusedError: onnxruntime does not take the model.
        OutOfMemoryError: the memory does not hold one of its tensors.
        UsageError: it has no output of that name, or several that may classify.
    """
    output = choose_output(model, settings.output_name)
    memory = settings.memory or free_memory(device.is_cuda) // 2
    require_room(model, memory)
    batch = graph.native_batch(model)
    if batch is not None:
        model, batch = _free(model, batch, output, inputs, shared, device)
    with scratch_folder() as folder:
        lean = graph.share_weights(model, folder)
        form = graph.output_form(lean, output)
        largest = graph.largest_tensor(lean) * _ELEMENT_BYTES
        del model  # with the weights that it holds
        yield Network(
            lean, output, form, batch, device, settings.exact, largest=largest, memory=memory
        )


def require_room(model: graph.Model, memory: int) -> None:
    """Check that no tensor of a model is larger than `memory` by what the graph tells alone.

    Raises:
        OutOfMemoryError: one is, so that a run would take what is not there.
    """
    name, size = graph.largest_fixed(model)
    if size > memory:
        raise OutOfMemoryError(
            f"{model.path} makes the tensor {name!r} of {size_text(size)}, the budget is "
            f"{size_text(memory)}; use a larger --memory"
        )


def _free(
    model: graph.Model,
    batch: int,
    output: str,
    inputs: Mapping[str, Column],
    shared: Mapping[str, np.ndarray],
    device: Device,
) -> tuple[graph.Model, int | None]:
    """Free the batch size where two batches at once then give what each gives by itself.

    Of the outputs only the one that classifies is looked at.
    """
    freed = graph.free_batch(model)
    if (
        graph.native_batch(freed) is not None
        or min(map(len, inputs.values()), default=0) < 2 * batch
    ):
        return model, batch

    def run(session: Session, first: int, count: int) -> Array:
        chosen = {name: array[first : first + count] for name, array in inputs.items()}
        (found,) = session.run(feed(chosen | dict(shared), device), [output])
        return to_host(found) if hasattr(found, "shape") else found

    try:
        single = Session(graph.expose(model, []), device, prepack=False)
        one, other = (run(single, first, batch) for first in (0, batch))
        if not hasattr(one, "shape"):
            return model, batch
        double = Session(graph.expose(freed, []), device, prepack=False)
        both = run(double, 0, 2 * batch)
    except ModelRefusedError:
        return model, batch
    same = not one.ndim or deviation(both, np.concatenate([one, other])) <= TOLERANCE
    return (freed, None) if same else (model, batch)
