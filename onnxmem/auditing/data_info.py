"""What a report says of the data."""

from __future__ import annotations

import numpy as np

from onnxmem.data import Samples, Selection, Source
from onnxmem.network.evaluation import Evaluation
from onnxmem.records import DataInfo


def describe(
    samples: Samples, digests: np.ndarray, evaluation: Evaluation, per_class: int, source: Source
) -> DataInfo:
    """Return what a report says of the data.

    Args:
        samples: all that were given.
        digests: (samples,) what samples were chosen by.
        evaluation: those that were chosen, in batches.
        per_class: samples of each class that were asked for.
        source: where they come from.
    """
    selection, contents = evaluation.selection, evaluation.contents()
    few, copies = _few(selection, per_class), len(contents) - len(set(contents.tolist()))
    all_copies = len(samples) - len(np.unique(samples.contents))
    return DataInfo(
        path=source.path,
        sha256=samples.sha256,
        samples=len(selection.rows),
        classes=len(selection.single),
        samples_given=len(samples),
        left_out=selection.left_out,
        batches=selection.fingerprint(digests),
        distinct=min(len(set(contents[batch.rows].tolist())) for batch in selection.single),
        copies=copies,
        notes=tuple(
            filter(
                None,
                (
                    *samples.notes,
                    evaluation.labelling.note,
                    few,
                    _copied(copies, len(contents), all_copies, len(samples)),
                ),
            )
        ),
        options=dict(source.options),
        names={str(number): name for number, name in samples.class_names.items()},
    )


def _few(selection: Selection, per_class: int) -> str:
    """Say so where classes have fewer samples than were asked for."""
    sizes = [len(batch.rows) for batch in selection.single if len(batch.rows) < per_class]
    if not sizes:
        return ""
    return (
        f"{len(sizes)} of {len(selection.single)} classes have fewer than {per_class} samples, the "
        f"least {min(sizes)}; compare only with audits of as many"
    )


def _copied(used: int, samples: int, copies: int, given: int) -> str:
    """Say how many samples are copies of others, where any are: of all, and of those used."""
    if not used and not copies:
        return ""
    among = f", {used} of the {samples:,} that were used" if given != samples else ""
    return f"{max(copies, used)} of {given:,} samples are copies of others{among}"
