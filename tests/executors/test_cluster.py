"""The executor of a Dask cluster, as far as it can be told without one."""

from __future__ import annotations

import logging

import pytest

from onnxmem.errors import EnvironmentFailedError
from onnxmem.executors.cluster import _silent, connect


@pytest.mark.filterwarnings("ignore")
def test_nobody_at_an_address_is_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr("onnxmem.executors.cluster._PATIENCE", 0.2)
    with pytest.raises(EnvironmentFailedError, match="no scheduler answers at tcp"):
        connect("tcp://127.0.0.1:1").__enter__()


def test_a_library_is_silent_for_a_while(caplog: pytest.LogCaptureFixture) -> None:
    part = logging.getLogger("talkative.part")
    part.setLevel(logging.INFO)
    with _silent("talkative"):
        part.error("lost")
        logging.getLogger("talkative").error("lost")
    part.info("back")
    assert caplog.messages == ["back"]
