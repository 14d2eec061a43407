"""From which checkpoint on a sample is fitted for good."""

from __future__ import annotations

import numpy as np

from onnxmem.tracking.fitting import fitted_from, share_fitted


def test_a_sample_that_is_lost_again_counts_from_later() -> None:
    fitted = np.array([[1, 1, 0, 0], [1, 0, 0, 1], [1, 1, 1, 0]], bool)
    assert fitted_from(fitted).tolist() == [0, 2, 2, 3]


def test_a_group_of_none_has_no_share() -> None:
    fitted = np.array([True, False])
    assert share_fitted(fitted, np.array([False, False])) is None
    assert share_fitted(fitted, np.array([True, True])) == 0.5
