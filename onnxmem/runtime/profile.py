"""Where the time of a run goes: the seconds of each node, by onnxruntime's own profiler."""

from __future__ import annotations

import json
from collections.abc import Mapping

from onnxmem.arrays import Array
from onnxmem.runtime.session import Session

_END = "_kernel_time"
_BEFORE, _AFTER = "fused ", ("_nchwc", "_token")
"""What onnxruntime adds to the names of nodes that it changes."""


def node_seconds(session: Session, feeds: Mapping[str, Array], runs: int) -> dict[str, float]:
    """Run a session that was made with `profile`, and return the least seconds of each node.

    A node is called as in the graph, or by the tensor that it makes, since onnxruntime renames what
    it fuses. No run follows.
    """
    names = [output.name for output in session.outputs]
    for _ in range(runs):
        session.run(feeds, names)
    file = session.end_profile()
    try:
        events = json.loads(file.read_text("utf-8"))
    finally:
        file.unlink()
    found: dict[str, list[float]] = {}
    for event in events:
        if event.get("cat") == "Node" and event["name"].endswith(_END):
            found.setdefault(_plain(event["name"]), []).append(event["dur"] / 1e6)
    return {name: min(seconds) for name, seconds in found.items()}


def _plain(name: str) -> str:
    """Return the name of a node without what onnxruntime added."""
    name = name.removesuffix(_END).removeprefix(_BEFORE)
    for mark in _AFTER:
        name = name.partition(mark)[0]
    return name
