"""Give scikit-learn's class probabilities out as the tensor that they are."""

from __future__ import annotations

import onnx


def replace_zipmaps(proto: onnx.ModelProto) -> int:
    """Turn every ZipMap of the main graph into an Identity of its tensor input.

    A ZipMap makes a list of dictionaries from class to score, which neither a graph that
    continues nor an array can hold. The output keeps its name; column i is the i-th class.

    Returns:
        How many there were.
    """
    replaced = set()
    for node in proto.graph.node:
        if node.op_type == "ZipMap" and node.domain == "ai.onnx.ml":
            node.op_type, node.domain = "Identity", ""
            node.ClearField("attribute")
            replaced.add(node.output[0])
    if replaced and not any(opset.domain in ("", "ai.onnx") for opset in proto.opset_import):
        proto.opset_import.add(domain="", version=13)
    for info in (*proto.graph.output, *proto.graph.value_info):
        if info.name in replaced:
            info.type.CopyFrom(
                onnx.helper.make_tensor_type_proto(onnx.TensorProto.FLOAT, (None, None))
            )
    return len(replaced)
