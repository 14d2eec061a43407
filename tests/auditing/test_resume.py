"""An audit that is killed goes on where it was, whenever that happens."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sample_networks import Sample

KILLED = """
import os, signal, sys
import numpy as np
import onnxmem
from onnxmem.auditing import layer_cache, run
from onnxmem.cache import store

model, data, folder, log, moment, result = sys.argv[1:]
steps = 0

def step(*ignored):
    global steps
    steps += 1
    if steps == int(moment):
        os.kill(os.getpid(), signal.SIGKILL)

def tell(word, site):
    with open(log, "a") as stream:
        print(word, site.tensor, file=stream)

def measure(site, *arguments, really=layer_cache.measure_layer):
    tell("begun", site)
    return really(site, *arguments)

def complete(self, site, *arguments, really=layer_cache.LayerCache.complete):
    measured = really(self, site, *arguments)
    tell("kept", site)
    step()
    return measured

def replace(*paths, really=os.replace):
    step()
    really(*paths)
    step()

layer_cache.measure_layer, layer_cache.LayerCache.complete = measure, complete
store.os.replace = replace
arrays = np.load(data)
report = onnxmem.audit(
    model, arrays["x"], arrays["y"], per_class=12, compress=["nmf", "ablation"],
    batch=["mixed"], ranks=[1, 2], cache=folder if folder != "none" else False, progress=step,
)
report.to_json(result)
"""


def without_timings(path: Path) -> str:
    return path.read_text().partition('"timings"')[0]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_killed_audits_end_in_the_report_of_one_that_ran_through(
    cnn: Sample, tmp_path: Path
) -> None:
    log, result, whole = (tmp_path / name for name in ("log", "result.json", "whole.json"))

    def run(folder: Path | str, moment: int, output: Path) -> int:
        files = (cnn.path, cnn.data, folder, log, moment, output)
        return subprocess.run([sys.executable, "-c", KILLED, *map(str, files)]).returncode

    moments = random.Random(0).sample(range(2, 16), 4)
    codes = [run(tmp_path / "cache", moment, result) for moment in moments]
    assert -signal.SIGKILL in codes
    assert run(tmp_path / "cache", 0, result) == 0
    lines = log.read_text().splitlines()
    assert run("none", 0, whole) == 0
    assert without_timings(result) == without_timings(whole)
    for tensor in ("stem", "inner", "joined"):
        assert f"begun {tensor}" not in lines[lines.index(f"kept {tensor}") :]
