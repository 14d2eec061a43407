"""Every architecture through both exporters of PyTorch, and through several opsets."""

from __future__ import annotations

import io
import logging
import tempfile
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path

import onnx
import torch

from corpus_models import Made
from corpus_models import architectures as _registered  # noqa: F401
from corpus_models.network import ARCHITECTURES, Lambda, Network

NOT_FOR_DYNAMO = ("recurrent_relu",)
"""The newer exporter has no recurrent ReLU."""

logging.getLogger("torch.onnx").setLevel(logging.ERROR)


def network(name: str) -> Network:
    torch.manual_seed(0)
    made = ARCHITECTURES[name]()
    made.module.eval()
    return made


def names(net: Network) -> tuple[list[str], list[str]]:
    inputs = [f"input_{i}" for i in range(len(net.inputs))]
    return inputs, [f"output_{i}" for i in range(net.outputs)]


def script(
    name: str, opset: int = 17, *, static: int | None = None, training: bool = False
) -> onnx.ModelProto:
    """Export by tracing; `static` fixes the batch size."""
    net, file = network(name), io.BytesIO()
    inputs, outputs = names(net)
    examples = net.inputs
    if static is not None:
        examples = tuple(x[:static] for x in examples)
    axes = {} if static is not None else {one: {net.batch: "batch"} for one in inputs}
    if static is None:
        axes |= {one: {0: "batch"} for one in outputs}
    mode = torch.onnx.TrainingMode
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.module.train(training), examples, file, dynamo=False, opset_version=opset,
            input_names=inputs, output_names=outputs, dynamic_axes=axes,
            training=mode.TRAINING if training else mode.EVAL, do_constant_folding=not training,
        )  # fmt: skip
    return onnx.load_from_string(file.getvalue())


def dynamo(name: str, opset: int = 18, *, static: int | None = None) -> onnx.ModelProto:
    """Export what torch.export captured."""
    net = network(name)
    inputs, outputs = names(net)
    examples = net.inputs if static is None else tuple(x[:static] for x in net.inputs)
    dim = torch.export.Dim("batch", min=1, max=512)
    shapes: tuple[object, ...] | None = ({net.batch: dim},) * len(inputs)
    if isinstance(net.module, Lambda):
        shapes = (shapes,)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net.module, examples, dynamo=True, opset_version=opset, input_names=inputs,
            output_names=outputs, verbose=False,
            dynamic_shapes=shapes if static is None else None,
        )  # fmt: skip
        path = Path(folder) / "net.onnx"
        program.save(str(path))
        return onnx.load(path)


def made(exporter: str, export: Callable[[], onnx.ModelProto], name: str) -> Made:
    return Made(exporter, export(), network(name).truth)


def _models() -> dict[str, Callable[[], Made]]:
    found: dict[str, Callable[[], Made]] = {}

    def add(label: str, exporter: str, export: Callable[..., onnx.ModelProto], name: str,
            **options: int) -> None:  # fmt: skip
        found[label] = partial(made, exporter, partial(export, name, **options), name)

    for name in ARCHITECTURES:
        add(f"torchscript-{name}", "torch TorchScript", script, name)
        if name not in NOT_FOR_DYNAMO:
            add(f"dynamo-{name}", "torch dynamo", dynamo, name)
    for opset in (9, 10, 11, 12, 13, 14, 15, 16, 18, 19, 20):
        name = ("cnn", "residual", "mlp", "mobile")[opset % 4]
        add(f"torchscript-{name}-opset{opset}", "torch TorchScript", script, name, opset=opset)
    for opset in (19, 20, 21, 22, 23):
        name = ("cnn", "transformer", "spellings")[opset % 3]
        add(f"dynamo-{name}-opset{opset}", "torch dynamo", dynamo, name, opset=opset)
    for name in ("cnn", "residual", "shuffle", "transformer", "gru"):
        add(f"torchscript-{name}-static1", "torch TorchScript", script, name, static=1)
        add(f"dynamo-{name}-static1", "torch dynamo", dynamo, name, static=1)
    add("torchscript-shuffle-static2", "torch TorchScript", script, "shuffle", static=2)
    for name in ("cnn", "residual"):
        add(f"torchscript-{name}-training", "torch TorchScript", script, name, training=True)
    return found


MODELS = _models()
