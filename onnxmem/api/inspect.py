"""One call that looks at a model without labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from onnxmem import inspecting
from onnxmem.api.apart import apart
from onnxmem.api.models import Model, as_given, model_file
from onnxmem.api.results import Inspection
from onnxmem.inspecting import Trial
from onnxmem.links import trusting_links


@apart(inspecting.Inspection, Inspection.of)
def inspect(
    model: Model,
    *,
    kinds: Sequence[str] = ("auto",),
    bind: Mapping[str, Any] | None = None,
    trust_links: bool = False,
    output_name: str | None = None,
    trial: Trial | None = None,
    sandbox: bool = False,
    timeout: float | None = None,
) -> Inspection:
    """Find every site of an ONNX network, and run its cut where a `trial` is given.

    Args:
        model: path of the ONNX file, its bytes, or an `onnx.ModelProto`.
        kinds: kinds of activations and groups of them, as `onnxmem.audit` takes them.
        bind: values of inputs that are fixed for good.
        trust_links: take weights from wherever links beside the model lead to, see SECURITY.md.
        output_name: the only output that the tails compute; None: all of them.
        trial: how to run the cuts, see `onnxmem.inspecting.Trial`; None: only the graph is read.
        sandbox: open the model in a child process under limits, which reads and writes nothing
            but what is named here, see `onnxmem.sandbox`; it gives the same numbers.
        timeout: seconds that the child may take.

    Returns:
        The inspection: `found.sites` has an entry for each activation, with its status, the axis
        of its features and the tensors that its cut needs.

    Raises:
        UsageError: no such file, output or kind, or inputs on which the model does not run.
        EnvironmentFailedError: onnxruntime refuses the whole model, or the device is not usable.
    """
    with trusting_links(trust_links), model_file(model) as path:
        found = inspecting.inspect(
            path, kinds=kinds, bind=bind, output_name=output_name, trial=trial
        )
    return Inspection.of(replace(found, model=as_given(found.model, model)))
