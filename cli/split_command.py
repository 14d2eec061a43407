"""`onnxmem split`: the model as two, cut at one tensor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from onnxmem import report as formats
from onnxmem.text import json_text, printable

from .declared import part_options
from .folders import check_free, publish_folder, staging
from .options import take_bind
from .parameters import FilePath
from .sandboxed import SandboxedCommand
from .streams import tell

if TYPE_CHECKING:
    from onnxmem.graph import Cut, Model, Part

SCHEMA = "onnxmem.cut/1"


@click.command("split", cls=SandboxedCommand)
@click.argument("model", type=FilePath())
@click.option("--at", "tensor", required=True, metavar="TENSOR", help="Where to cut.")
@click.option(
    "-o", "--output", type=FilePath(), required=True, metavar="DIR", help="The folder to make."
)
@click.option("--output-name", metavar="NAME", help="The only output that the tail computes.")
@part_options
def command(
    model: str,
    tensor: str,
    output: str,
    output_name: str | None,
    bind: tuple[str, ...],
    data: str | None,
    quiet: bool,
) -> int:
    """Cut MODEL at TENSOR into DIR/head.onnx and DIR/tail.onnx; DIR/cut.json says how to join them.

    The head takes inputs of MODEL and gives TENSOR and the crossing tensors. The tail takes
    these, and the inputs of MODEL that it reads itself, and gives the outputs of MODEL.
    """
    from onnxmem import graph
    from onnxmem.data import load as load_data
    from onnxmem.inspecting.parts import require_runnable, with_known_types
    from onnxmem.runtime.binding import blames_bind

    target = Path(os.path.realpath(output))
    check_free(target)
    arrays = None if data is None else load_data(data)
    values = take_bind(bind)
    network = graph.load(model, values)
    cut = graph.split(network, tensor, output_name)
    with blames_bind(values):
        require_runnable(network)
        head = with_known_types(network, cut.head, arrays)
        tail = with_known_types(network, cut.tail, arrays)
    with staging(target) as folder:
        graph.save(head, folder / "head.onnx")
        graph.save(tail, folder / "tail.onnx")
        formats.write(json_text(_description(network, cut)), folder / "cut.json")
        publish_folder(folder, target)
    if not quiet:
        count = len(cut.crossing) + len(cut.direct)
        beside = f"{count} {'tensor crosses' if count == 1 else 'tensors cross'} beside"
        tell(f"onnxmem: wrote {printable(output, 200)}: {beside} {printable(tensor)}")
    return 0


def _description(network: Model, cut: Cut) -> dict[str, Any]:
    """Return what a program needs to join the parts."""
    return {
        "schema": SCHEMA,
        "model": {"path": str(network.path), "sha256": network.sha256},
        "tensor": cut.tensor,
        "crossing": cut.crossing,
        "direct": cut.direct,
        "head": _part("head.onnx", cut.head),
        "tail": _part("tail.onnx", cut.tail),
        "outputs": cut.outputs,
        "whole_batch": cut.whole_batch,
    }


def _part(file: str, part: Part) -> dict[str, Any]:
    return {"file": file, "inputs": part.inputs, "outputs": part.outputs}
