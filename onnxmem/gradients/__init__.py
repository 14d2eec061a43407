"""Gradients of an ONNX network, without a training framework.

    gradients = Gradients(model, device, ["logits"], wrt=["relu1"], weights=["fc.weight"])
    forward = gradients.run({"x": x})
    backward = forward.backward(cross_entropy(forward.outputs[0], labels).gradient)
    backward.gradient("relu1")                      # (samples, ...)
    backward.weight("fc.weight").squared_norms()    # (samples,)

The network runs forward once with its tensors exposed, then its nodes are walked in reverse.

    gradients         what the example uses: `Gradients`, `Forward`, `Backward`
    plan              what is differentiated, checked before anything runs
    path              the nodes between tensors and outputs, and those that no gradient passes
    walk              the reverse walk
    registry, rules   how a gradient goes through each operator, one file for each group
    operators         single operators that rules run on the device
    layout            which axis of a tensor counts samples
    weights, per_sample
                      weights of Conv, Gemm and MatMul, and their gradients for each sample
    losses            what a walk starts from

Arrays stay on the device. Nothing here knows what gradients are taken for.
"""

from onnxmem.gradients.gradients import Backward, Forward, Gradients
from onnxmem.gradients.losses import Loss, cross_entropy, logits, margin
from onnxmem.gradients.per_sample import WeightGradients
from onnxmem.gradients.plan import why_not
from onnxmem.gradients.registry import served
from onnxmem.gradients.weights import Weight, find_weights

__all__ = [
    "Backward",
    "Forward",
    "Gradients",
    "Loss",
    "Weight",
    "WeightGradients",
    "cross_entropy",
    "find_weights",
    "logits",
    "margin",
    "served",
    "why_not",
]
