"""What is typed most often: an example or two for each command, shown at the end of its help."""

from __future__ import annotations

EXAMPLES = {
    "audit": (
        "onnxmem audit net.onnx --data data.npz --html audit.html",
        "onnxmem audit net.onnx --data data.npz --fail-under nmf.mixed=0.6",
    ),
    "cache": ("onnxmem cache", "onnxmem cache clear"),
    "compare": (
        "onnxmem compare old.onnx new.onnx --data data.npz --html both.html",
        "onnxmem compare old.json new.json",
    ),
    "demo": ("onnxmem demo --html demo.html",),
    "doctor": ("onnxmem doctor",),
    "expose": ("onnxmem expose net.onnx -o exposed.onnx",),
    "inspect": ("onnxmem inspect net.onnx --verify",),
    "locate": (
        "onnxmem locate net.onnx --data data.npz --html where.html",
        "onnxmem locate net.onnx --data data.npz --checkpoint early.onnx",
    ),
    "report": ("onnxmem report audit.json --html audit.html --sarif audit.sarif",),
    "samples": ("onnxmem samples net.onnx --data data.npz --html samples.html",),
    "track": (
        "onnxmem track epoch1.onnx epoch2.onnx epoch3.onnx --data data.npz --html course.html",
    ),
    "split": ("onnxmem split net.onnx --at relu_2 -o parts",),
}


def epilog(name: str) -> str:
    """Return the end of a command's help; the first line keeps click from wrapping the others."""
    examples = EXAMPLES.get(name, ())
    title = "Example:" if len(examples) == 1 else "Examples:"
    return "\n".join(["\b", title, *(f"  {one}" for one in examples)]) if examples else ""
