"""The page on hazards: complete, referred to by messages, each hazard shown by a small model."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from onnxmem.hazards import ANCHORS, PAGE, see

ROOT = Path(__file__).parents[1]
SHOWN = {
    "crossing-tensors": "graph/test_cut.py::test_the_branch_of_a_residual_block_crosses",
    "rounding": "auditing/test_shipped_networks.py",
    "fixed-batch": "graph/test_batch.py::test_the_batch_in_a_reshape_is_freed",
    "look-alikes": "graph/test_sites.py::test_the_gate_of_a_hand_written_hard_swish_is_no_site",
    "quantized": "graph/test_quantized.py::test_folded_relus_are_found_and_their_cuts_join",
    "dynamic-quantization":
        "graph/test_cut.py::test_operators_that_look_at_the_whole_batch_are_named",
    "batch-size-crosses":
        "graph/test_cut.py::test_a_shape_computed_before_the_cut_crosses_and_one_of_constants_does_not",
    "half-precision": "graph/test_widen.py::test_cuts_of_the_widened_model_join_exactly",
    "control-flow":
        "graph/test_normalise.py::test_binding_an_input_lifts_the_branch_that_it_decides",
    "initializers-as-inputs":
        "graph/test_normalise.py::test_initializers_listed_as_inputs_are_no_inputs",
    "outputs":
        "graph/test_normalise.py::test_class_probabilities_are_a_tensor_instead_of_a_zipmap",
    "kinds-of-output": "graph/test_outputs.py::test_the_operator_that_ends_in_it_tells",
    "batch-axis": "graph/test_axes.py::test_the_operator_that_makes_features_decides",
    "fused": "graph/test_sites.py::test_activations_that_onnxruntime_fused_are_read",
    "functions":
        "graph/test_normalise.py::test_functions_are_inlined_whatever_opset_they_state",
    "external-data":
        "cli/test_parts_for_strangers.py::test_only_an_external_model_gives_external_parts",
    "refused": "cli/test_broken_models.py::test_every_command_names_what_is_broken",
    "training-mode": "graph/test_normalise.py::test_dropout_in_training_mode_drops_nothing",
    "relu-is-output":
        "graph/test_cut.py::test_a_tensor_that_is_an_output_itself_is_handed_on_by_the_tail",
    "recurrent": "graph/test_sites.py::test_the_states_of_a_relu_rnn_are_a_site_with_features_last",
}  # fmt: skip
"""Where the tests show each hazard."""


def slugs() -> list[str]:
    """Return the anchors of the page's sections, as Markdown renderers make them."""
    text = (ROOT / PAGE).read_text("utf-8")
    return [
        heading.strip().lower().replace(" ", "-")
        for heading in re.findall(r"^## (.*)$", text, re.MULTILINE)
    ]


def test_every_hazard_has_its_section() -> None:
    assert slugs() == list(ANCHORS)


def test_every_section_says_what_is_seen_what_is_done_and_what_can_be_done() -> None:
    sections = (ROOT / PAGE).read_text("utf-8").split("\n## ")[1:]
    for section in sections:
        assert {"**Looks like.**", "**onnxmem**", "**You**"} <= set(
            re.findall(r"\*\*.*?\*\*", section)
        ), section


def test_messages_refer_to_sections_that_exist() -> None:
    used = set()
    for folder in ("onnxmem", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text("utf-8")
            used |= set(re.findall(r"see\(['\"]([\w-]+)['\"]\)", text))
    assert len(used) >= 5
    assert used <= set(ANCHORS)
    for anchor in used:
        assert see(anchor) == f" (see docs/hazards.md#{anchor})"


@pytest.mark.parametrize("anchor", ANCHORS)
def test_a_test_shows_each_hazard(anchor: str) -> None:
    file, _, name = SHOWN[anchor].partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text("utf-8"))
    names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert not name or name in names
