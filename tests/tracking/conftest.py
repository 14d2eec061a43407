"""A course of training for all tests of this room."""

from __future__ import annotations

import courses
import pytest
from courses import Course


@pytest.fixture(scope="session")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """Give a course of six checkpoints."""
    return courses.make(tmp_path_factory.mktemp("course"))
