"""Small networks written node by node: what exporters rarely write, and what is no ReLU."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import onnx
from onnx import helper, numpy_helper, parser

from corpus_models import Made, Truth

MICROSOFT = {"com.microsoft": 1}
BODY = "float[N,6] x) => (float[N,5] y"


def network(
    text: str, opset: int = 17, ir: int = 8, domains: Mapping[str, int] = {}, **weights: object
) -> onnx.ModelProto:
    """Parse a network; weights are shapes to draw, or arrays."""
    imports = ", ".join(f'"{name}": {n}' for name, n in {"": opset, **domains}.items())
    model = parser.parse_model(f"<ir_version: {ir}, opset_import: [{imports}]> net {text}")
    rng = np.random.default_rng(5)
    for name, what in weights.items():
        array = rng.normal(size=what).astype(np.float32) if isinstance(what, tuple) else what
        model.graph.initializer.append(numpy_helper.from_array(np.asarray(array), name))
    return model


def chain(steps: str, opset: int = 17, **more: object) -> onnx.ModelProto:
    """A network from x (N, 6) to y (N, 5); h (N, 10) stands ready, t (N, 10) is wanted."""
    text = f"({BODY}) {{ h = MatMul(x, w)  {steps}  y = MatMul(t, v) }}"
    return network(text, opset, w=(6, 10), v=(10, 5), **more)


def number(value: float) -> np.ndarray:
    return np.array(value, np.float32)


TEN = Truth((10,))
MIXED = Truth((10,), samples=False)
NONE = Truth((), lookalikes=1)
MODELS: dict[str, Callable[[], Made]] = {}


def add(name: str, truth: Truth, build: Callable[..., onnx.ModelProto], *arguments: object,
        **options: object) -> None:  # fmt: skip
    MODELS[f"written-{name}"] = lambda: Made(
        "onnx.parser", partial(build, *arguments, **options)(), truth
    )


# How a ReLU can be spelled.
ZERO = {"zero": number(0)}
SPELLINGS: dict[str, tuple[str, dict[str, object]]] = {
    "relu": ("t = Relu(h)", {}),
    "clip": ("t = Clip(h, zero)", ZERO),
    "relu6": ("t = Clip(h, zero, six)", {**ZERO, "six": number(6)}),
    "relu1": ("t = Clip(h, zero, one)", {**ZERO, "one": number(1)}),
    "max": ("t = Max(zero, h)", ZERO),
    "max-of-zeros": ("s = Shape(h)  z = ConstantOfShape(s)  t = Max(h, z)", {}),
    "where-greater": ("p = Greater(h, zero)  t = Where(p, h, zero)", ZERO),
    "where-less": ("p = Less(h, zero)  t = Where(p, zero, h)", ZERO),
    "where-not": ("p = LessOrEqual(h, zero)  q = Not(p)  t = Where(q, h, zero)", ZERO),
    "where-turned": ("p = Less(zero, h)  t = Where(p, h, zero)", ZERO),
    "mask": ("p = Greater(h, zero)  m = Cast<to = 1>(p)  t = Mul(m, h)", ZERO),
    "leaky-0": ("t = LeakyRelu<alpha = 0.0>(h)", {}),
    "prelu-0": ("t = PRelu(h, slope)", {"slope": np.zeros(10, np.float32)}),
    "thresholded": ("t = ThresholdedRelu<alpha = 0.5>(h)", {}),
    "min-of-relu": ("r = Relu(h)  t = Min(r, six)", {"six": number(6)}),
    "squared": ("r = Relu(h)  t = Mul(r, r)", {}),
    "squared-max": ("r = Max(h, zero)  t = Pow(r, two)", {**ZERO, "two": number(2)}),
    "constant-node": ("z = Constant<value = float {0.0}>()  t = Max(h, z)", {}),
    "twice-used": ("r = Relu(h)  a = Neg(r)  b = Exp(a)  c = Add(r, b)  t = Mul(c, r)", {}),
    "behind-dropout": ("d = Dropout(h)  t = Relu(d)", {}),
}
for name, (steps, weights) in SPELLINGS.items():
    add(name, TEN, chain, steps, **weights)
add("clip-opset6", TEN, chain, "t = Clip<min = 0.0, max = 6.0>(h)", 10)
add("subtracted", TEN, chain, "a = Abs(h)  b = Add(h, a)  c = Relu(h)  t = Sub(b, c)")
for opset in (7, 8, 9, 11, 13, 15, 18, 21, 22, 23, 24, 25):
    add(f"opset{opset}", TEN, chain, "t = Relu(h)", opset, ir=10 if opset > 20 else 7)

# What looks like one and is none.
SIX = {"zero": number(0), "three": number(3), "six": number(6)}
LOOKALIKES: dict[str, tuple[str, dict[str, object]]] = {
    "hard-swish": (
        "a = Add(h, three)  c = Clip(a, zero, six)  m = Mul(h, c)  t = Div(m, six)", SIX),
    "hard-swish-divided": (
        "a = Add(h, three)  c = Clip(a, zero, six)  d = Div(c, six)  t = Mul(h, d)", SIX),
    "hard-swish-min": (
        "a = Add(h, three)  r = Relu(a)  c = Min(r, six)  m = Mul(h, c)  t = Div(m, six)", SIX),
    "hard-sigmoid": (
        "a = Mul(h, fifth)  b = Add(a, half)  t = Clip(b, zero, one)",
        {"zero": number(0), "one": number(1), "half": number(0.5), "fifth": number(0.2)}),
    "before-log": ("c = Max(h, zero)  e = Add(c, eps)  t = Log(e)",
                   {"zero": number(0), "eps": number(1e-3)}),
    "before-root": ("c = Clip(h, zero)  t = Sqrt(c)", ZERO),
    "before-quotient": ("c = Max(h, zero)  e = Add(c, eps)  t = Div(h, e)",
                        {"zero": number(0), "eps": number(1e-3)}),
    "of-squares": ("s = Mul(h, h)  t = Max(s, zero)", ZERO),
    "gelu": ("a = Div(h, root)  b = Erf(a)  c = Add(b, one)  d = Mul(h, c)  t = Mul(d, half)",
             {"root": number(2**0.5), "one": number(1), "half": number(0.5)}),
    "leaky": ("t = LeakyRelu<alpha = 0.1>(h)", {}),
}  # fmt: skip
for name, (steps, weights) in LOOKALIKES.items():
    add(f"not-{name}", NONE, chain, steps, **weights)
add("not-an-image", NONE, network, f"({BODY}) {{ h = MatMul(x, w)  y = Clip(h, zero, most) }}",
    w=(6, 5), zero=number(0), most=number(255))  # fmt: skip

# Where a ReLU can stand.
add("at-the-end", Truth((5,)), network, f"({BODY}) {{ h = MatMul(x, w)  y = Relu(h) }}", w=(6, 5))
add("is-output-too", TEN, network,
    "(float[N,6] x) => (float[N,5] y, float[N,10] t) "
    "{ h = MatMul(x, w)  t = Relu(h)  y = MatMul(t, v) }", w=(6, 10), v=(10, 5))  # fmt: skip
add("dead", Truth((10, 10), closed=1), chain, "t = Relu(h)  n = Neg(h)  dead = Relu(n)")
add("both-signs", Truth((10, 10)), network,
    f"({BODY}) {{ h = MatMul(x, w)  n = Neg(h)  a = Relu(h)  b = Relu(n) "
    "c = Concat<axis = 1>(a, b)  y = MatMul(c, v) }", w=(6, 10), v=(20, 5))  # fmt: skip
add("odd-names", TEN, network,
    '(float[N,6] x) => (float[N,5] y) { "a b/c:0" = MatMul(x, w)  "über;drüber" = Relu("a b/c:0")'
    '  y = MatMul("über;drüber", v) }', w=(6, 10), v=(10, 5))  # fmt: skip
add("double", TEN, network,
    "(double[N,6] x) => (double[N,5] y) { h = MatMul(x, w)  t = Relu(h)  y = MatMul(t, v) }",
    w=np.random.default_rng(0).normal(size=(6, 10)), v=np.ones((10, 5)))  # fmt: skip
add("integers-in", TEN, network,
    "(uint8[N,6] i) => (float[N,5] y) { x = Cast<to = 1>(i)  h = MatMul(x, w)  t = Relu(h) "
    "y = MatMul(t, v) }", w=(6, 10), v=(10, 5))  # fmt: skip
add("noise", MIXED, chain, "r = Relu(h)  n = RandomNormalLike(h)  t = Add(r, n)")
add("training-dropout", TEN, chain, "r = Relu(h)  t = Dropout(r, half, yes)",
    half=number(0.5), yes=np.array(True))  # fmt: skip
add("training-norm", Truth((10,)), network,
    f"({BODY}) {{ h = MatMul(x, w)  n, nm, nv = BatchNormalization<training_mode = 1>"
    "(h, s, b, m, q)  t = Relu(n)  y = MatMul(t, v) }", w=(6, 10), v=(10, 5),
    s=np.ones(10, np.float32), b=(10,), m=(10,), q=np.ones(10, np.float32))  # fmt: skip
add("top-k", TEN, chain, "t = Relu(h)  k1, k2 = TopK(t, k)", k=np.array([3]))
add("sequence", MIXED, chain,
    "t0 = Relu(h)  s = SequenceConstruct(t0, h)  t = ConcatFromSequence<axis = 0>(s)")  # fmt: skip
add("sequence-across", Truth((10, 10)), chain,
    "a = Relu(h)  s = SequenceConstruct(a, h)  n = Neg(h)  b = Relu(n)  i = SequenceAt(s, one)"
    "  t = Add(b, i)", one=np.array(1))  # fmt: skip
add("split-to-sequence", TEN, chain,
    "r = Relu(h)  s = SplitToSequence<axis = 1>(r, five)  a = SequenceAt(s, zero)  "
    "t = Concat<axis = 1>(a, a)", five=np.array(5), zero=np.array(0))  # fmt: skip
add("optional-bounds", TEN, chain, "t = Clip(h, zero, )", zero=number(0))
add("reshape-by-shape", Truth((10,)), network,
    "(float[N,4,6] x) => (float[N,5] y) { h = MatMul(x, w)  t = Relu(h)  s = Shape(x) "
    "n = Gather(s, zero)  u = Unsqueeze(n, axes)  to = Concat<axis = 0>(u, rest) "
    "f = Reshape(t, to)  y = MatMul(f, v) }", w=(6, 10), v=(40, 5), zero=np.array(0),
    axes=np.array([0]), rest=np.array([40]))  # fmt: skip
add("static-reshape", Truth((10, 20)), network,
    "(float[3,4,6] x) => (float[3,5] y) { h = MatMul(x, w)  t = Relu(h)  f = Reshape(t, to) "
    "g = MatMul(f, u)  r = Relu(g)  y = MatMul(r, v) }", w=(6, 10), u=(40, 20), v=(20, 5),
    to=np.array([3, 40]))  # fmt: skip
add("static-for-good", Truth((8,), samples=False), network,
    "(float[4,8] x) => (float[4,8] y) { a = MatMul(x, w)  r = Relu(a)  y = MatMul(m, r) }",
    w=(8, 8), m=(4, 4))  # fmt: skip
add("shared-input", TEN, network,
    "(float[N,6] x, float[10] scale) => (float[N,5] y) { h = MatMul(x, w)  s = Mul(h, scale) "
    "t = Relu(s)  u = Mul(t, scale)  y = MatMul(u, v) }", w=(6, 10), v=(10, 5))  # fmt: skip
add("shared-input-static", TEN, network,
    "(float[1,6] x, float[10] scale) => (float[1,5] y) { h = MatMul(x, w)  s = Mul(h, scale) "
    "t = Relu(s)  u = Mul(t, scale)  y = MatMul(u, v) }", w=(6, 10), v=(10, 5))  # fmt: skip
add("shared-matrix", TEN, network,
    "(float[N,6] x, float[10,10] mix) => (float[N,5] y) { h = MatMul(x, w)  t = Relu(h) "
    "u = MatMul(t, mix)  y = MatMul(u, v) }", w=(6, 10), v=(10, 5))  # fmt: skip
add("channels-last", Truth((9,)), network,
    "(float[N,7,7,3] x) => (float[N,5] y) { a = Transpose<perm = [0, 3, 1, 2]>(x) "
    "c = Conv(a, k)  b = Transpose<perm = [0, 2, 3, 1]>(c)  t = Relu(b) "
    "m = ReduceMean<axes = [1, 2], keepdims = 0>(t)  y = MatMul(m, v) }",
    k=(9, 3, 3, 3), v=(9, 5))  # fmt: skip
add("whole-batch", TEN, chain,
    "t0 = Relu(h)  q, s, z = DynamicQuantizeLinear(t0)  t = DequantizeLinear(q, s, z)")  # fmt: skip
add("einsum", TEN, network,
    '(float[N,6] x) => (float[N,5] y) { h = Einsum<equation = "nf,fo->no">(x, w)  t = Relu(h) '
    "y = MatMul(t, v) }", w=(6, 10), v=(10, 5))  # fmt: skip

# Operators of onnxruntime's own that hold a ReLU.
add("fused-gemm", TEN, network,
    f'({BODY}) {{ t = com.microsoft.FusedGemm<activation = "Relu">(x, w, b)  y = MatMul(t, v) }}',
    domains=MICROSOFT, w=(6, 10), b=(10,), v=(10, 5))  # fmt: skip
add("fused-conv", Truth((9,)), network,
    '(float[N,3,7,7] x) => (float[N,5] y) { c = com.microsoft.FusedConv<activation = "Relu">(x, k)'
    "  p = GlobalAveragePool(c)  f = Flatten(p)  y = MatMul(f, v) }",
    domains=MICROSOFT, k=(9, 3, 3, 3), v=(9, 5))  # fmt: skip


# Recurrent ReLUs.
def recurrent(direction: str) -> onnx.ModelProto:
    ways = 2 if direction == "bidirectional" else 1
    names = ", ".join(['"Relu"'] * ways)
    return network(
        f"(float[7,N,6] x) => (float[N,5] y) {{ r = RNN<hidden_size = 10, activations = [{names}], "
        f'direction = "{direction}">(x, w, u)  g = Gather<axis = 0>(r, last) '
        "m = ReduceMean<axes = [0], keepdims = 0>(g)  y = MatMul(m, v) }",
        w=(ways, 10, 6), u=(ways, 10, 10), v=(10, 5), last=np.array(6),
    )  # fmt: skip


for direction in ("forward", "reverse", "bidirectional"):
    add(f"rnn-{direction}", Truth((10,), samples=False), recurrent, direction)


# Bodies.
def branching(condition: str, *, input_type: str = "") -> onnx.ModelProto:
    more = f", {input_type}" if input_type else ""
    return network(
        f"(float[N,6] x{more}) => (float[N,5] y) {{ h = MatMul(x, w)  {condition} "
        "t = If(c) <then_branch = yes () => (float[N,10] a) { a = Relu(h) }, "
        "else_branch = no () => (float[N,10] b) { b = Neg(h) }>  y = MatMul(t, v) }",
        w=(6, 10), v=(10, 5), big=np.array([2.0], np.float32),
    )  # fmt: skip


add("if-constant", TEN, branching, "c = Constant<value = bool {1}>()")
add("if-input", Truth((10,), bind=(("train", 1),)), branching, "c = Cast<to = 9>(train)",
    input_type="float[1] train")  # fmt: skip
add("if-input-open", Truth((10,), closed=1), branching, "c = Cast<to = 9>(train)",
    input_type="float[1] train")  # fmt: skip
add("if-data", Truth((10,), closed=1), branching,
    "n = ReduceMax<keepdims = 0>(h)  c = Greater(n, big)")  # fmt: skip


def loop() -> onnx.ModelProto:
    return network(
        "(float[N,6] x) => (float[N,6] y) { y = Loop(three, yes, x) <body = step "
        "(int64 i, bool c, float[N,6] s) => (bool d, float[N,6] r) "
        "{ d = Identity(c)  m = MatMul(s, w)  r = Relu(m) }> }",
        w=(6, 6), three=np.array(3), yes=np.array(True),
    )  # fmt: skip


def scan() -> onnx.ModelProto:
    return network(
        "(float[7,6] x) => (float[7,6] y) { l, y = Scan<num_scan_inputs = 1>(start, x) "
        "<body = step (float[6] s, float[6] i) => (float[6] o, float[6] p) "
        "{ a = Add(s, i)  o = Relu(a)  p = Identity(o) }> }", start=(6,),
    )  # fmt: skip


add("loop", Truth((6,), closed=1), loop)


# Shapes of the file.
def old_ir() -> onnx.ModelProto:
    model = chain("t = Relu(h)", 8, ir=3)
    for tensor in model.graph.initializer:
        info = helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        model.graph.input.append(info)
    return model


def with_function(inner: int, outer: int) -> onnx.ModelProto:
    model = network(
        f"({BODY}) {{ t = own.block(x, w)  y = MatMul(t, v) }}", outer, 10, {"own": 1},
        w=(6, 10), v=(10, 5),
    )  # fmt: skip
    text = f'<opset_import: ["": {inner}], domain: "own"> block (a, b) => (d) '
    model.functions.append(parser.parse_function(text + "{ c = MatMul(a, b)  d = Relu(c) }"))
    return model


def zip_map() -> onnx.ModelProto:
    model = network(
        f"({BODY}) {{ h = MatMul(x, w)  t = Relu(h)  s = MatMul(t, v)  y = Softmax(s) }}",
        13, 8, {"ai.onnx.ml": 1}, w=(6, 10), v=(10, 5),
    )  # fmt: skip
    node = helper.make_node("ZipMap", ["y"], ["scores"], domain="ai.onnx.ml",
                            classlabels_int64s=[0, 1, 2, 3, 4])  # fmt: skip
    model.graph.node.append(node)
    element = helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, []))
    info = helper.make_value_info("scores", helper.make_sequence_type_proto(element))
    model.graph.output[0].CopyFrom(info)
    return model


def untyped() -> onnx.ModelProto:
    model = chain("t = Relu(h)")
    model.graph.output[0].type.tensor_type.ClearField("shape")
    return model


add("ir3", TEN, old_ir)
add("function", TEN, with_function, 17, 17)
add("function-older-opset", TEN, with_function, 11, 18)
add("zipmap", TEN, zip_map)
add("output-without-shape", TEN, untyped)
