"""A folder of small networks, one of them broken, and a survey of it."""

from __future__ import annotations

from pathlib import Path

import pytest
import sample_networks

MANIFEST = """
[[model]]
path = "mlp-n.onnx"
data = "mlp-n.npz"

[[model]]
path = "broken.onnx"
data = "mlp-n.npz"

[[model]]
path = "cnn.onnx"
data = "cnn.npz"
fail_under = {nmf.mixed = 0.99}
"""


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder with `zoo.toml` and its models; nothing is written there."""
    folder = tmp_path_factory.mktemp("zoo")
    sample_networks.make_mlp(folder)
    sample_networks.make_cnn(folder)
    (folder / "broken.onnx").write_bytes(b"no onnx")
    (folder / "zoo.toml").write_text(MANIFEST)
    return folder
