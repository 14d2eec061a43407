"""A course is tracked: the choice, when samples are fitted, what is shared and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from courses import Course

import onnxmem
from onnxmem.auditing import Progress
from onnxmem.errors import DataError, InconclusiveError, UsageError
from onnxmem.evidence.neighbourhood import Search
from onnxmem.records import TrackReport


@pytest.fixture(scope="module")
def found(course: Course) -> TrackReport:
    """Give the report of the course."""
    return onnxmem.track(
        course.paths, course.x, course.y, held_out={"x": course.held_x, "y": course.held_y}
    )


def test_a_checkpoint_is_kept_before_wrong_labels_were_learned(
    course: Course, found: TrackReport
) -> None:
    accuracy = [one.held_out_accuracy or 0.0 for one in found.checkpoints]
    assert accuracy[-1] < max(accuracy) - 0.05
    assert found.choice is not None and found.choice.regret is not None
    assert found.choice.regret <= 0.02
    assert found.choice.last_regret == pytest.approx(max(accuracy) - accuracy[-1])
    assert found.chosen == found.choice.path != str(course.paths[-1])


def test_labels_of_held_out_samples_take_no_part(course: Course, found: TrackReport) -> None:
    bare = onnxmem.track(course.paths, course.x, course.y, held_out=course.held_x)
    assert bare.chosen == found.chosen
    assert [one.agreement for one in bare.checkpoints] == [
        one.agreement for one in found.checkpoints
    ]
    assert {one.held_out_accuracy for one in bare.checkpoints} == {None}
    assert bare.choice is not None and bare.choice.regret is bare.choice.runner_up_cost is None


def test_the_choice_is_the_largest_mean_agreement(found: TrackReport) -> None:
    means = [one.agreement_mean or 0.0 for one in found.checkpoints]
    assert found.choice is not None and found.choice.lead is not None
    best, second = np.argsort(means)[::-1][:2]
    assert found.choice.path == found.checkpoints[best].path
    assert found.choice.runner_up == found.checkpoints[second].path
    assert found.choice.lead.value == pytest.approx(means[best] - means[second])
    assert found.choice.lead.low <= found.choice.lead.value <= found.choice.lead.high
    for one in found.checkpoints:
        assert one.agreement_mean == pytest.approx(np.mean(one.agreement))
    assert found.layers == ("relu1", "relu2")


def test_what_is_simple_is_fitted_first(course: Course, found: TrackReport) -> None:
    others = [one.others_fitted or 0.0 for one in found.checkpoints]
    suspects = [one.suspects_fitted or 0.0 for one in found.checkpoints]
    assert all(np.greater(others[:4], suspects[:4]))
    assert suspects[-1] > 0.9
    since = np.array([np.inf if s.fitted_from is None else s.fitted_from for s in found.samples])
    assert np.median(since[~course.wrong]) < np.median(since[course.wrong])


def test_the_mean_margin_finds_wrong_labels(course: Course, found: TrackReport) -> None:
    margin = np.array([one.margin for one in found.samples])
    assert [one.row for one in found.samples] == list(range(len(course.x)))
    pairs = margin[course.wrong][:, None] > margin[~course.wrong]
    assert pairs.mean() > 0.95
    chosen = np.array([one.suspect for one in found.samples])
    assert (chosen == (margin > 1e-6)).all()


def test_one_checkpoint_is_what_samples_finds(course: Course) -> None:
    one = onnxmem.track(course.paths[-1:], course.x, course.y, held_out=course.held_x)
    alone = onnxmem.samples(course.paths[-1], course.x, course.y)
    assert alone.network is not None
    assert [s.margin for s in one.samples] == [s.margin for s in alone.samples]
    assert one.checkpoints[0].memorized_share == alone.network.memorized_share
    assert one.choice is not None and one.choice.runner_up is None


def test_nothing_depends_on_the_order_of_samples(course: Course, found: TrackReport) -> None:
    order = np.random.default_rng(0).permutation(len(course.x))
    held = np.random.default_rng(1).permutation(len(course.held_x))
    again = onnxmem.track(
        course.paths,
        course.x[order],
        course.y[order],
        held_out={"x": course.held_x[held], "y": course.held_y[held]},
    )
    assert again.checkpoints == found.checkpoints
    assert again.choice == found.choice


def test_without_held_out_inputs_none_is_chosen(course: Course) -> None:
    bare = onnxmem.track(course.paths[:2], course.x, course.y)
    assert bare.chosen is bare.choice is None
    assert "--held-out" in bare.reason
    assert bare.exit_code == 0
    assert len(bare.samples) == len(course.x)


def test_neighbours_that_checkpoints_have_in_common_are_looked_for_once(
    course: Course, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = onnx.load(course.paths[-1])
    for tensor in model.graph.initializer:
        if tensor.name == "w3":  # above both layers
            scaled = 2 * onnx.numpy_helper.to_array(tensor)
            tensor.CopyFrom(onnx.numpy_helper.from_array(scaled, tensor.name))
    onnx.save(model, tmp_path / "changed.onnx")
    searched: list[str] = []
    search = Search._search

    def noted(self: Search, tensor: str, *rest: Any) -> object:
        searched.append(tensor)
        return search(self, tensor, *rest)

    monkeypatch.setattr(Search, "_search", noted)
    paths = [course.paths[-1], tmp_path / "changed.onnx", course.paths[0]]
    onnxmem.track(paths, course.x, course.y, held_out=course.held_x)
    assert searched == ["input", "relu1", "relu2", "relu1", "relu2"]


def test_another_architecture_is_refused_before_anything_runs(
    course: Course, cnn: object, mlp: object
) -> None:
    told: list[Progress] = []
    paths = [*course.paths[:1], mlp.path]  # type: ignore[attr-defined]
    with pytest.raises(UsageError, match=r"mlp.*\.onnx is no checkpoint of.*epoch_1\.onnx.*12.*48"):
        onnxmem.track(paths, course.x, course.y, held_out=course.held_x, progress=told.append)
    assert {one.stage for one in told} == {"loading the models"}
    with pytest.raises(UsageError, match="3 activations in place of 2"):
        onnxmem.track([course.paths[0], cnn.path], course.x, course.y)  # type: ignore[attr-defined]


def test_labels_are_needed(course: Course) -> None:
    with pytest.raises(DataError, match="give an array 'y'"):
        onnxmem.track(course.paths, course.x)


def test_labels_that_no_checkpoint_knows_are_inconclusive(course: Course) -> None:
    others = np.random.default_rng(0).permutation(course.y)
    with pytest.raises(InconclusiveError, match="every checkpoint is at chance"):
        onnxmem.track(course.paths[-2:], course.x, others, held_out=course.held_x)


def test_what_keeps_a_checkpoint_from_being_asked_names_it(course: Course) -> None:
    with pytest.raises(InconclusiveError, match=r"epoch_1\.onnx: 15 different training samples"):
        onnxmem.track(course.paths, course.x[:15], course.y[:15], held_out=course.held_x)


def test_suspects_may_be_given(course: Course) -> None:
    found = onnxmem.track(
        course.paths[:2], course.x, course.y, held_out=course.held_x, suspects=course.wrong
    )
    assert [one.suspect for one in found.samples] == course.wrong.tolist()
    assert found.suspects_from == "file"
    for one in found.checkpoints:
        assert one.suspects_fitted is not None and one.others_fitted is not None
        assert one.suspects_fitted < one.others_fitted
    with pytest.raises(DataError, match="has 3 entries"):
        onnxmem.track(course.paths[-1:], course.x, course.y, suspects=[True, False, True])


def test_a_report_says_what_was_found(course: Course, found: TrackReport) -> None:
    assert repr(found).startswith("<onnxmem.TrackReport 6 checkpoints, chosen='epoch_")
    assert str(found).startswith("Keep epoch_")
    assert "\n" not in repr(found)
    assert len(found.to_frame()) in (len(course.x), 7)  # type: ignore[attr-defined]
