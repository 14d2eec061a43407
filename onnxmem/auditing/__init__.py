"""Audits: settings in, a report out, and events while it runs. Prints nothing, writes no file.

The rooms, in the order in which an audit goes through them:

    run               the whole of it; `refused` makes the report where nothing can be measured
    settings, sites   what is asked for, and the tensors to cut at
    open_model        model, samples, device and workers together
    network           the sessions of a model, and how its batches run
    outputs, predictions, independence, labelling, guessing
                      which output classifies, what it says, and whether labels fit it
    setup             batches, and what the untouched model (`whole_model`) answers
    context           what every layer is then measured with
    layer             one layer: `cut_run` captures and checks it, `points` measures its curves
    capture, layout, memory
                      activations as matrices and back, as many at once as the memory allows
    rank_choice       which ranks a curve needs
    layer_cache       layers measured before, known by their `identity`
    verdict           scores, gates and the verdict
    plan, cost        what an audit would cost
"""

from onnxmem.auditing.cost import Plan
from onnxmem.auditing.plan import plan_audit
from onnxmem.auditing.run import Listener, Progress, run_audit
from onnxmem.auditing.settings import Settings, parse_ranks
from onnxmem.auditing.setup import Source
from onnxmem.auditing.sites import choose_sites
from onnxmem.auditing.verdict import judge_again

__all__ = [
    "Listener",
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
