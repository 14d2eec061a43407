"""The part of a Hugging Face model card: metadata with a model index, then the report in Markdown.

A report in which nothing was measured has no model index, since an index needs metrics.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

from onnxmem.records import Report
from onnxmem.report import markdown
from onnxmem.report.metrics import Metric, metrics
from onnxmem.text import file_name


def render(report: Report) -> str:
    """Return the front matter in YAML, and the Markdown below it."""
    head = "\n".join(["---", "tags:", "- onnx", "- onnxmem", *_index(report), "---"])
    return f"{head}\n\n{markdown.render(report)}"


def _index(report: Report) -> Iterator[str]:
    found = metrics(report)
    if not found:
        return
    data = _quoted(file_name(report.data.path) or "data")
    yield "model-index:"
    yield f"- name: {_quoted(file_name(report.model.path))}"
    yield "  results:"
    yield "  - task:"
    yield "      type: other"
    yield "      name: classification, audited for memorization"
    yield "    dataset:"
    yield f"      type: {data}"
    yield f"      name: {data}"
    yield "    metrics:"
    for one in found:
        yield from _metric(one)


def _metric(one: Metric) -> Iterator[str]:
    bounds = ""
    if one.low is not None and one.high is not None:
        bounds = f", 95 % interval {one.low:.3f} to {one.high:.3f}"
    yield f"    - type: {_quoted(one.type)}"
    yield f"      name: {_quoted(one.title + bounds)}"
    yield f"      value: {one.value!r}"


def _quoted(text: str) -> str:
    """Return text as a scalar that is one in JSON and in YAML."""
    return json.dumps(text, ensure_ascii=True)
