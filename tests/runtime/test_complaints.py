"""What onnxruntime says, without the places in its own source."""

from __future__ import annotations

import pytest

from onnxmem.runtime.complaints import LONGEST, plain

COMPLAINTS = {
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running MatMul node. "
    "Name:'fc' Status Message: matmul_helper.h:59 Compute MatMul dimension mismatch":
        "MatMul node 'fc': MatMul dimension mismatch",
    "[ONNXRuntimeError] : 1 : FAIL : Exception during initialization: "
    "/onnxruntime_src/onnxruntime/core/optimizer/initializer.cc:79 "
    "onnxruntime::Initializer::Initializer(const onnxruntime::Graph&, "
    "const std::unordered_map<std::string, int>&, bool) [ONNXRuntimeError] : 1 : FAIL : "
    "tensorprotoutils.cc:1534 ValidateSize Initializer 's': 8 bytes do not match 4":
        "Initializer 's': 8 bytes do not match 4",
    "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Clip node. "
    "Name:'' Status Message: /onnxruntime_src/onnxruntime/core/providers/cpu/math/clip.cc:111 "
    "void onnxruntime::Clip::ComputeImpl<T>::operator()(const Tensor*, Tensor*) const "
    "[with T = float] max->Shape().IsScalar() was false. max should be a scalar.":
        "Clip node '': max->Shape().IsScalar() was false. max should be a scalar.",
    "Deserialize tensor w3 failed.endian_utils.cc:66 CopyLittleEndian size mismatch":
        "Deserialize tensor w3 failed. size mismatch",
    "[ONNXRuntimeError] : 7 : INVALID_PROTOBUF : Load model failed:\nProtobuf parsing failed.":
        "Load model failed: Protobuf parsing failed.",
    "": "no reason is given",
}  # fmt: skip


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_only_what_concerns_the_model_is_left(complaint: str) -> None:
    assert plain(complaint) == COMPLAINTS[complaint]


@pytest.mark.parametrize(
    ("complaint", "advice"),
    [
        ("Unsupported model IR version: 99, max supported IR version: 13", "newer onnxruntime"),
        ("Error No opset import for domain 'my.own'", "operators of your own"),
        ("Could not find an implementation for Relu(1) node with name ''", "another opset"),
    ],
)
def test_known_causes_come_with_advice(complaint: str, advice: str) -> None:
    told = plain(complaint)
    assert told.startswith(complaint)
    assert advice in told


@pytest.mark.parametrize("text", ["f.cc:1 ", "/a/b.cc:2 f(", "/a/b.cc:2 f(g(", "x/y.h:3 (((", ")"])
def test_a_complaint_that_breaks_off_is_no_trouble(text: str) -> None:
    assert plain(text)


def test_a_long_complaint_is_cut() -> None:
    assert len(plain("x" * 5000)) == LONGEST
