"""Audits: a plan in, a report out, and events while it runs. Prints nothing, writes no file."""

from onnxmem.auditing.cost import Plan
from onnxmem.auditing.plan import plan_audit
from onnxmem.auditing.run import Progress, run_audit
from onnxmem.auditing.settings import Settings, parse_ranks
from onnxmem.auditing.setup import Source
from onnxmem.auditing.sites import choose_sites
from onnxmem.auditing.verdict import judge_again

__all__ = [
    "Plan",
    "Progress",
    "Settings",
    "Source",
    "choose_sites",
    "judge_again",
    "parse_ranks",
    "plan_audit",
    "run_audit",
]
