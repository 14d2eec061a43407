"""What reports tell of the room that they were made in."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest

from onnxmem.sandbox import noted, room, told
from onnxmem.sandbox.landlock import available

Script = Callable[..., subprocess.CompletedProcess[str]]

ENTER = "from onnxmem.sandbox import *; import json; enter(Room({})); print(json.dumps(told()))"


def test_a_process_of_its_own_says_that_nothing_is_in_force() -> None:
    assert told() == {"limits": [], "landlock": 0, "reason": "it was not asked for"}
    assert noted({"device": "cpu"}) == {"device": "cpu", "sandbox": told()}


def test_what_is_told_cannot_change_what_is_in_force() -> None:
    told()["limits"].append("data")
    assert not room.is_confined()


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_confined_process_tells_its_limits(script: Script) -> None:
    found = script(ENTER.format("data=2**32, seconds=100"))
    limits = '"limits": ["core", "cpu", "data"]'
    assert f'{{{limits}, "landlock": {available().abi}, ' in found.stdout, found.stderr


def test_one_that_is_not_confined_says_by_whose_wish(script: Script) -> None:
    found = script(ENTER.format("confined=False"))
    assert '{"limits": [], "landlock": 0, "reason": "--no-sandbox"}' in found.stdout
