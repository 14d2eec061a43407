from dataclasses import replace

import report_samples

from onnxmem.findings.cure import cure
from onnxmem.records import Gate


def test_layers_that_were_all_skipped_are_to_be_inspected() -> None:
    skipped = (report_samples.skipped(0, "relu1"),)
    report = replace(report_samples.inconclusive(), layers=skipped)
    assert "onnxmem inspect" in cure(report)


def test_saturated_curves_want_harder_data() -> None:
    assert "harder samples" in cure(report_samples.inconclusive())


def test_a_network_at_chance_wants_its_labels_and_preprocessing_checked() -> None:
    report = report_samples.passing()
    low = replace(report.baseline, value=0.12, chance=0.1)
    assert "--preprocess" in cure(replace(report, baseline=low))


def test_data_of_one_class_want_another() -> None:
    report = report_samples.passing()
    alone = replace(report.baseline, value=1.0, chance=1.0)
    assert "two classes" in cure(replace(report, baseline=alone))


def test_a_network_below_the_least_accuracy_wants_the_data_of_its_training() -> None:
    report = report_samples.passing()
    below = replace(report.baseline, value=0.8, chance=0.1)
    strict = report.settings | {"min_accuracy": 0.9}
    assert "trained on" in cure(replace(report, baseline=below, settings=strict))


def test_a_gate_that_few_samples_cannot_carry_wants_more_of_them() -> None:
    gate = Gate("nmf.mixed", 0.5, 0.6, None)
    assert "ten different samples" in cure(replace(report_samples.passing(), gates=(gate,)))


def test_a_gate_without_a_value_is_named() -> None:
    gate = Gate("pca.class", 0.5, None, None)
    assert "pca.class" in cure(replace(report_samples.passing(), gates=(gate,)))
