"""Every network through both exporters of PyTorch, and through several opsets."""

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

from activation_models import Made, torch_images, torch_sequences, torch_spellings
from activation_models.torch_parts import NETWORKS, Lambda, Network

FAMILIES = (torch_spellings, torch_images, torch_sequences)
"""They put their networks on the list."""

logging.getLogger("torch.onnx").setLevel(logging.ERROR)


def network(name: str) -> Network:
    torch.manual_seed(0)
    made = NETWORKS[name]()
    made.module.eval()
    return made


def script(name: str, opset: int = 17) -> onnx.ModelProto:
    """Export by tracing."""
    net, file = network(name), io.BytesIO()
    names = [f"input_{i}" for i in range(len(net.inputs))]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net.module, net.inputs, file, dynamo=False, opset_version=opset, input_names=names,
            output_names=["scores"],
            dynamic_axes={one: {0: "batch"} for one in (*names, "scores")},
        )  # fmt: skip
    return onnx.load_from_string(file.getvalue())


def dynamo(name: str, opset: int = 18) -> onnx.ModelProto:
    """Export what torch.export captured."""
    net = network(name)
    names = [f"input_{i}" for i in range(len(net.inputs))]
    dim = torch.export.Dim("batch", min=1, max=512)
    shapes: tuple[object, ...] = ({0: dim},) * len(names)
    if isinstance(net.module, Lambda):
        shapes = (shapes,)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            net.module, net.inputs, dynamo=True, opset_version=opset, input_names=names,
            output_names=["scores"], verbose=False, dynamic_shapes=shapes,
        )  # fmt: skip
        path = Path(folder) / "net.onnx"
        program.save(str(path))
        return onnx.load(path)


def made(exporter: str, export: Callable[[], onnx.ModelProto], name: str) -> Made:
    return Made(exporter, export(), network(name).truth)


MODELS: dict[str, Callable[[], Made]] = {}
for name in NETWORKS:
    MODELS[f"torchscript-{name}"] = partial(made, "torch TorchScript", partial(script, name), name)
    MODELS[f"dynamo-{name}"] = partial(made, "torch dynamo", partial(dynamo, name), name)
for opset in (13, 14, 16, 20):
    for name in ("spellings", "mobilenet_v3", "bert"):
        label = f"torchscript-{name}-opset{opset}"
        export = partial(script, name, opset)
        MODELS[label] = partial(made, "torch TorchScript", export, name)
for opset in (20, 22, 23):
    for name in ("spellings", "vit", "llama"):
        label = f"dynamo-{name}-opset{opset}"
        MODELS[label] = partial(made, "torch dynamo", partial(dynamo, name, opset), name)
