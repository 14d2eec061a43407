"""Surveys of real networks: the same numbers as one by one, resumed, on every executor."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import onnx
import pytest

import onnxmem
from onnxmem.records import SurveyReport

QUICK: dict[str, Any] = {
    "compress": ["nmf"],
    "batch": ["mixed"],
    "ranks": [1, 4],
    "per_class": 10,
    "no_samples": True,
}


@pytest.fixture(scope="module")
def folder(zoo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(zoo, tmp_path_factory.mktemp("survey") / "zoo"))


@pytest.fixture(scope="module")
def found(folder: Path) -> SurveyReport:
    return onnxmem.survey(folder / "zoo.toml", out=folder / "out", workers=2, cache=False, **QUICK)


def written(path: Path) -> Any:
    values = json.loads(path.read_text())
    return measured(values)


def measured(values: dict[str, Any]) -> dict[str, Any]:
    """Return a report without what tells how long it took, and where it was made."""
    return values | {"timings": 0, "environment": values["environment"] | {"sandbox": 0}}


def test_each_model_has_its_row_and_the_others_go_on(found: SurveyReport) -> None:
    assert [(one.name, one.state, one.exit_code) for one in found.models] == [
        ("mlp-n", "none", 0), ("broken", "failed", 2), ("cnn", "fail", 1),
    ]  # fmt: skip
    assert found.exit_code == 2
    assert "not an ONNX model" in found.models[1].reason


def test_numbers_are_those_of_a_single_audit(found: SurveyReport, folder: Path) -> None:
    quick = {key: value for key, value in QUICK.items() if key != "no_samples"}
    alone = onnxmem.audit(folder / "mlp-n.onnx", folder / "mlp-n.npz", samples=False, **quick)
    assert measured(alone.to_dict()) == written(folder / "out/mlp-n.json")
    assert found.models[0].summary == alone.summary


def test_what_is_written_meets_its_schema_and_links_to_files(
    found: SurveyReport, folder: Path
) -> None:
    schema = json.loads((files("onnxmem.report") / "survey.schema.json").read_text("utf-8"))
    values = json.loads((folder / "out/survey.json").read_text())
    jsonschema.validate(values, schema)
    assert SurveyReport.from_dict(values).models == found.models
    page = (folder / "out/index.html").read_text("utf-8")
    assert all(f'href="./{name}.html"' in page for name in ("mlp-n", "cnn"))
    assert "broken.html" not in page


def test_what_is_unchanged_is_not_audited_again(found: SurveyReport, folder: Path) -> None:
    out = folder / "out"
    before = (out / "cnn.json").stat().st_mtime_ns, (out / "survey.json").read_text()
    notes: list[str] = []
    models = [{"path": str(folder / "cnn.onnx"), "data": str(folder / "cnn.npz")}]
    models[0] |= {"fail_under": {"nmf": {"mixed": 0.99}}}  # type: ignore[dict-item]
    again = onnxmem.survey(
        models, out=out, progress=lambda step: notes.append(step.note), cache=False, **QUICK
    )
    assert notes == ["1 unchanged since they were audited"]
    assert before[0] == (out / "cnn.json").stat().st_mtime_ns
    assert again.models == found.models[2:]


def bomb(path: Path) -> None:
    """Write a classifier that asks for 6 GB when it runs, which no shape tells before."""
    text = (
        '<ir_version: 8, opset_import: ["": 17]> network (float[n,6] x) => (float[n,3] y)'
        " { a = MatMul(x, w) r = Relu(a) s = ReduceSum<keepdims = 0>(x) t = Mul(s, z)"
        " o = Add(t, size) i = Cast<to = 7>(o) k = Reshape(i, one) u = ConstantOfShape(k)"
        " m = ReduceMax<keepdims = 0>(u) b = Mul(m, z) q = MatMul(r, v) y = Add(q, b) }"
    )
    weights = {
        "w": np.ones((6, 8), np.float32), "v": np.eye(8, 3, dtype=np.float32),
        "z": np.float32(0), "size": np.float32(1.6e9), "one": np.array([1]),
    }  # fmt: skip
    proto = onnx.parser.parse_model(text)
    proto.graph.initializer.extend(
        onnx.numpy_helper.from_array(np.asarray(array), name) for name, array in weights.items()
    )
    onnx.save(proto, path)


def test_a_model_that_asks_for_too_much_costs_its_own_line_alone(folder: Path) -> None:
    bomb(folder / "bomb.onnx")
    rng = np.random.default_rng(0)
    np.savez(folder / "six.npz", x=rng.normal(size=(60, 6)).astype(np.float32), y=np.arange(60) % 3)
    found = onnxmem.survey(
        [{"path": str(folder / "bomb.onnx"), "data": str(folder / "six.npz")}],
        out=folder / "bombs", memory="256M", timeout=300.0, **QUICK,
    )  # fmt: skip
    assert [one.exit_code for one in found.models] == [4], found.models


@contextmanager
def processes() -> Iterator[Executor]:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        yield pool


@contextmanager
def dask() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(1, threads_per_worker=2, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor(pure=False)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("make", [processes, dask])
def test_any_executor_serves(
    found: SurveyReport, folder: Path, tmp_path: Path, make: Callable[[], Any]
) -> None:
    with make() as executor:
        other = onnxmem.survey(
            folder / "zoo.toml", out=tmp_path / "out", executor=executor, cache=False, **QUICK
        )
    assert other.models == found.models
