"""`onnxmem audit --plan` where an audit was made before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sample_networks import Sample

Command = Callable[..., Any]
QUICK = ("--ranks", "1,2", "--per-class", 10, "--no-samples", "--device", "cpu")


def test_layers_in_the_cache_cost_nothing(command: Command, mlp: Sample) -> None:
    line = ("audit", mlp.path, "--data", mlp.data, *QUICK)
    fresh = json.loads(command(*line, "--plan", "--json", "-").out)
    assert command(*line, "--compress", "nmf", "-q").code in (0, 1)
    partly, known = (
        json.loads(command(*line, "--plan", "--json", "-", *options).out)
        for options in ((), ("--compress", "nmf"))
    )
    assert not any(layer["known"] for layer in (*fresh["layers"], *partly["layers"]))
    assert all(layer["known"] for layer in known["layers"])
    assert 0 == known["most"]["tail_runs"] < partly["most"]["tail_runs"]
    assert partly["most"]["tail_runs"] < fresh["most"]["tail_runs"]


def test_a_plan_without_a_cache_knows_nothing(command: Command, mlp: Sample) -> None:
    line = ("audit", mlp.path, "--data", mlp.data, *QUICK)
    command(*line, "-q")
    plan = json.loads(command(*line, "--plan", "--no-cache", "--json", "-").out)
    assert not any(layer["known"] for layer in plan["layers"])
