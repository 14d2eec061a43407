"""Surveys as a whole: what runs, what is tried again, what is left; scripts stand for audits."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from onnxmem.errors import EnvironmentFailedError, UsageError
from onnxmem.records import SurveyReport
from onnxmem.surveying import running
from onnxmem.surveying.manifest import make_entries
from onnxmem.surveying.survey import Plan, Step, own_exit_code, survey

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals and limits of POSIX")

TOLD = "import sys, os; open('runs', 'a').write(sys.argv[-1] + '\\n');"
REFUSED = TOLD + "print('onnxmem: error: nothing', file=sys.stderr); sys.exit(2)"
DIES = TOLD + "os.kill(os.getpid(), 9)"
DIES_ONCE = (
    TOLD + "first = len(open('runs').readlines()) == 1; os.kill(os.getpid(), 9) if first else 0;"
    "sys.exit(2)"
)


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def entries(count: int = 1) -> list[Any]:
    return make_entries(
        ({"path": f"m{n}.onnx", "data": "d.npz"} for n in range(count)), Path(), "test"
    )


def runs() -> int:
    return len(Path("runs").read_text().splitlines()) if Path("runs").exists() else 0


def found(code: str, monkeypatch: pytest.MonkeyPatch, count: int = 1, **how: Any) -> SurveyReport:
    """Survey models with a script in the place of every audit."""
    monkeypatch.setattr(running, "CHILD", ("-c", code))
    executor = how.pop("executor", None)
    return survey(entries(count), Plan(Path("out"), **how), executor)


def test_a_model_that_kills_its_process_three_times_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (row,) = found(DIES, monkeypatch).models
    assert runs() == 3
    assert row.exit_code == 4 and row.reason.startswith("its process died of SIGKILL")
    assert row.reason.endswith(", 3 times")


def test_a_process_that_was_killed_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = found(DIES_ONCE, monkeypatch).models
    assert runs() == 2 and row.exit_code == 2


def test_a_model_that_failed_is_tried_again_by_the_next_survey(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found(REFUSED, monkeypatch)
    found(REFUSED, monkeypatch)
    assert runs() == 2


def test_shards_share_the_models_and_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    first = found(REFUSED, monkeypatch, 5, shard=(1, 2))
    assert [one.state for one in first.models] == ["failed", "waiting"] * 2 + ["failed"]
    second = found(REFUSED, monkeypatch, 5, shard=(2, 2))
    assert runs() == 5 and second.states == {"failed": 5}
    assert own_exit_code(second, Plan(Path("out"), shard=(2, 2))) == 2


def test_another_settings_record_does_not_stand_for_this_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found(REFUSED, monkeypatch, 2)
    report = found(REFUSED, monkeypatch, 2, shard=(1, 2), options={"seed": 1})
    assert [one.state for one in report.models] == ["failed", "waiting"]


def test_progress_tells_of_every_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "CHILD", ("-c", REFUSED))
    steps: list[Step] = []
    survey(entries(2), Plan(Path("out"), workers=2), listen=steps.append)
    assert [(step.done, step.total) for step in steps] == [(0, 2), (1, 2), (2, 2)]
    assert all("failed" in step.note and "nothing" in step.note for step in steps[1:])


class Losing(Executor):
    """Loses the workers of its first tasks."""

    def __init__(self, lost: int) -> None:
        self.lost, self.pool = lost, ThreadPoolExecutor(1)

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        if self.lost:
            self.lost -= 1
            future: Future[Any] = Future()
            future.set_exception(RuntimeError("the worker is gone"))
            return future
        return self.pool.submit(function, *arguments, **named)


@pytest.mark.parametrize(("lost", "code"), [(2, 2), (3, 4)])
def test_a_worker_that_is_lost_is_replaced_twice(
    monkeypatch: pytest.MonkeyPatch, lost: int, code: int
) -> None:
    (row,) = found(REFUSED, monkeypatch, executor=Losing(lost)).models
    assert row.exit_code == code
    assert code == 2 or "its worker was lost (RuntimeError: the worker is gone)" in row.reason


class Gone(ThreadPoolExecutor):
    """Does its first task, and gives up all others, as Dask does without a scheduler."""

    def submit(self, function: Any, /, *arguments: Any, **named: Any) -> Future[Any]:
        future = super().submit(function, *arguments, **named)
        if arguments[0].name == "m0":
            return future
        future.cancel()
        return future


def test_an_executor_that_is_gone_ends_the_survey_and_blames_no_model(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(EnvironmentFailedError, match="goes on where it was"):
        found(REFUSED, monkeypatch, 3, executor=Gone(1))
    assert all(path.stem == "m0" for path in Path("out/records").iterdir())
    again = found(REFUSED, monkeypatch, 3)
    assert again.states == {"failed": 3}


def test_an_interrupted_survey_ends_its_children_and_keeps_what_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code = (
        TOLD + "import time; 'm0.onnx' in open(sys.argv[-1]).read() and sys.exit(2); time.sleep(60)"
    )
    monkeypatch.setattr(running, "CHILD", ("-c", code))

    def interrupt(step: Step) -> None:
        if step.done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        survey(entries(3), Plan(Path("out"), workers=2), listen=interrupt)
    assert threading.active_count() < 20
    left = sorted(path.name for path in Path("out").rglob("*") if path.is_file())
    assert left == ["index.html", "m0.json", "survey.json"]


def test_no_file_of_others_is_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out").mkdir()
    Path("out/m0.json").write_text("[1, 2]")
    with pytest.raises(UsageError, match=r"m0\.json is no report of onnxmem"):
        found(REFUSED, monkeypatch)
    assert Path("out/m0.json").read_text() == "[1, 2]" and runs() == 0


@pytest.mark.parametrize(
    "wrong", [{"workers": 0}, {"timeout": 0.0}, {"shard": (0, 2)}, {"shard": (3, 2)}]
)
def test_a_plan_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=f"--{next(iter(wrong))}"):
        Plan(Path("out"), **wrong)


def test_a_model_without_data_is_named() -> None:
    with pytest.raises(UsageError, match="test, model 1 has no data"):
        survey(make_entries([{"path": "m.onnx"}], Path(), "test"), Plan(Path("out")))


def test_each_worker_has_a_gpu_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,GPU-7")
    code = "import os, sys; sys.exit('saw ' + os.environ['CUDA_VISIBLE_DEVICES'])"
    report = found(code + " if not __import__('time').sleep(1) else 0", monkeypatch, 2)
    assert {one.reason for one in report.models} == {"saw 3", "saw GPU-7"}
