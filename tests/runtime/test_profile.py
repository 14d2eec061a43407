"""The profiler of onnxruntime tells the seconds of each node by its name or by what it makes."""

from __future__ import annotations

from pathlib import Path

from sample_networks import Sample

from onnxmem import graph
from onnxmem.runtime import Session, node_seconds, select_device


def test_each_node_has_its_seconds(cnn: Sample, tmp_path: Path) -> None:
    model = graph.load(cnn.path)
    part = graph.with_named_nodes(graph.expose(model, []))
    session = Session(part, select_device("cpu"), exact=True, profile=tmp_path)
    found = node_seconds(session, {"x": cnn.x[:4]}, 2)
    assert found and all(seconds >= 0 for seconds in found.values())
    (site, *_) = graph.find_sites(model)
    sides = graph.cut_sides(model, site.tensor)
    assert found.keys() & sides.head and found.keys() & sides.tail
    assert not list(tmp_path.iterdir())
