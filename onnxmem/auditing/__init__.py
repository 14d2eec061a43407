"""Audits: settings in, a report out, and events while it runs. Prints nothing, writes no file.

The rooms, in the order in which an audit goes through them:

    run               the whole of it; `refused` makes the report where nothing can be measured
    samples, evidence which samples are memorized, alone or as a part of an audit
    locate            where samples are memorized: the parts of `locating`, one after the other
    settings          which curves, and by which gates they are judged
    data_info         what the report says of the data
    layer_cache       layers measured before, known by their `identity`
    enough            whether the data can carry a gate
    gates, drops      thresholds, and scores against those of an earlier report
    verdict           scores, and what follows from them and the gates
    plan, cost        what an audit would cost
    parts             an audit in parts, for several processes or machines

Networks are opened and run in `onnxmem.network`, their curves measured in `onnxmem.compression`.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from onnxmem.auditing.cost import Plan
    from onnxmem.auditing.gates import judge_again
    from onnxmem.auditing.locate_settings import LocateSettings
    from onnxmem.auditing.plan import plan_audit
    from onnxmem.auditing.progress import Listener, Progress
    from onnxmem.auditing.run import run_audit
    from onnxmem.auditing.samples import find_samples
    from onnxmem.auditing.settings import Settings

__all__ = [
    "Listener",
    "LocateSettings",
    "Plan",
    "Progress",
    "Settings",
    "find_samples",
    "judge_again",
    "plan_audit",
    "run_audit",
]

_HOMES = {
    "Listener": "progress",
    "LocateSettings": "locate_settings",
    "Plan": "cost",
    "Progress": "progress",
    "Settings": "settings",
    "find_samples": "samples",
    "judge_again": "gates",
    "plan_audit": "plan",
    "run_audit": "run",
}
"""The module that each name comes from."""


def __getattr__(name: str) -> Any:
    """Import a name when it is first used: a report from the cache needs none that measures."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
