"""Whatever is wrong with model, data, options or configuration: one line that says so, a code,
and no files."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper
from sample_networks import CLASSES, PER_CLASS, Sample, build, mlp_parts, store

Command = Callable[..., Any]

QUICK = ("--ranks", "1", "--compress", "nmf", "--batch", "mixed", "--json", "out.json")


@pytest.fixture
def refused(command: Command, mlp: Sample) -> Callable[..., str]:
    """Return the function that audits the wrong thing and returns the error's one line."""

    def run(*options: object, code: int = 2, model: object = None, data: object = None) -> str:
        outcome = command("audit", model or mlp.path, "--data", data or mlp.data, *QUICK, *options)
        assert outcome.code == code, outcome
        message: str = outcome.error
        assert "Traceback" not in message
        assert "internal error" not in message
        return message

    return run


@pytest.fixture
def inconclusive(command: Command) -> Callable[..., str]:
    """Return the function that audits to no conclusion and returns the reason."""

    def run(model: Path, data: Path) -> str:
        outcome = command("audit", model, "--data", data, *QUICK, "-q")
        assert outcome.code == 3, outcome
        (line,) = outcome.err.splitlines()
        assert line.startswith("onnxmem: inconclusive: ")
        assert outcome.new_files == ("out.json",)
        assert not outcome.out
        return str(line)

    return run


# Models


def test_a_model_that_is_not_there_is_named(refused: Callable[..., str]) -> None:
    assert "nowhere.onnx" in refused(model="nowhere.onnx")


def test_a_folder_as_model_is_named(refused: Callable[..., str], folder: Path) -> None:
    (folder / "net.onnx").mkdir()
    assert "net.onnx" in refused(model="net.onnx")


@pytest.mark.parametrize("content", [b"", b"weights, honestly\n" * 50, b"\x00" * 500])
def test_model_that_is_no_onnx(refused: Callable[..., str], folder: Path, content: bytes) -> None:
    (folder / "net.onnx").write_bytes(content)
    assert "net.onnx" in refused(model="net.onnx")


@pytest.mark.parametrize("share", [0.05, 0.5, 0.99])
def test_a_truncated_model_is_named(
    refused: Callable[..., str], folder: Path, mlp: Sample, share: float
) -> None:
    content = mlp.path.read_bytes()
    (folder / "net.onnx").write_bytes(content[: int(len(content) * share)])
    assert "net.onnx" in refused(model="net.onnx")


def test_model_without_relu_names_its_activations(
    command: Command, folder: Path, mlp: Sample
) -> None:
    nodes, weights = mlp_parts(10)
    for node in nodes:
        if node.op_type == "Relu":
            node.op_type = "Tanh"
    model = build(nodes, weights, ["n", 10], "features")
    onnx.save(model, folder / "net.onnx")
    outcome = command("audit", "net.onnx", "--data", mlp.data, *QUICK, "--kind", "relu")
    assert (outcome.code, outcome.out, outcome.new_files) == (3, "", ("out.json",))
    (line,) = outcome.err.splitlines()
    assert line.startswith("onnxmem: error: net.onnx has no ReLU")
    assert "Tanh (2)" in line


def test_operator_that_onnxruntime_does_not_know(refused: Callable[..., str], folder: Path) -> None:
    nodes, weights = mlp_parts(10)
    nodes[-1] = helper.make_node("Thing", ["relu2"], ["features"], domain="my.own")
    onnx.save(build(nodes, weights, ["n", 10], "features", domain="my.own"), folder / "net.onnx")
    message = refused(model="net.onnx", code=4)
    assert "my.own" in message
    assert "Thing" in message


# Data


def archive(folder: Path, **arrays: np.ndarray) -> str:
    """Write `arrays` to a file and return its name."""
    np.savez(folder / "bad.npz", **arrays)
    return "bad.npz"


def test_data_that_are_not_there_are_named(refused: Callable[..., str]) -> None:
    assert "nowhere.npz" in refused(data="nowhere.npz")


def test_data_that_are_no_archive(refused: Callable[..., str], folder: Path) -> None:
    (folder / "bad.npz").write_text("x,y\n1,2\n")
    assert "no .npz archive" in refused(data="bad.npz")


def test_a_truncated_archive_is_named(
    refused: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    (folder / "bad.npz").write_bytes(mlp.data.read_bytes()[:-200])
    assert "bad.npz" in refused(data="bad.npz")


def test_a_damaged_array_of_an_archive_is_named(
    refused: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    content = bytearray(mlp.data.read_bytes())
    content[300:400] = bytes(100)
    (folder / "bad.npz").write_bytes(content)
    assert "'x' of bad.npz" in refused(data="bad.npz")


def test_zip_of_something_else(refused: Callable[..., str], folder: Path) -> None:
    with zipfile.ZipFile(folder / "bad.npz", "w") as packed:
        packed.writestr("x.txt", "1 2 3")
    assert "bad.npz" in refused(data="bad.npz")


class Trap:
    """Leaves a file behind if it is ever unpickled."""

    def __reduce__(self) -> tuple[Any, tuple[str]]:
        return Path.touch, (Path("sprung"),)  # type: ignore[return-value]


def test_array_of_objects_is_not_unpickled(
    refused: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    objects = np.array([Trap()] * len(mlp.y), object)
    assert "never unpickled" in refused(data=archive(folder, x=objects, y=mlp.y))


def test_member_that_is_a_pickle_is_not_unpickled(
    refused: Callable[..., str], folder: Path
) -> None:
    import pickle

    with zipfile.ZipFile(folder / "bad.npz", "w") as packed:
        packed.writestr("x.npy", pickle.dumps(Trap()))
    assert "bad.npz" in refused(data="bad.npz")


def test_member_that_is_no_array_at_all(refused: Callable[..., str], folder: Path) -> None:
    with zipfile.ZipFile(folder / "bad.npz", "w") as packed:
        packed.writestr("x", "not an array")
    assert "'x'" in refused(data="bad.npz")


def test_header_of_an_absurd_size(refused: Callable[..., str], folder: Path) -> None:
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<f4", "fortran_order": False, "shape": (10**12, 10)}
    )
    with zipfile.ZipFile(folder / "bad.npz", "w") as packed:
        packed.writestr("x.npy", header.getvalue())
    assert "'x' of bad.npz" in refused(data="bad.npz")


def test_missing_input_names_what_is_there(
    refused: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    message = refused(data=archive(folder, images=mlp.x, y=mlp.y))
    assert "'x'" in message
    assert "'images'" in message


WRONG_INPUTS = {
    "rank": lambda x: x.reshape(-1, 5, 2),
    "no-axes": lambda x: np.float32(1),
    "width": lambda x: x[:, :9],
    "strings": lambda x: x.astype(str),
    "complex": lambda x: x.astype(complex),
    "nan": lambda x: np.where(np.arange(10) == 3, np.nan, x),
    "infinite": lambda x: np.where(np.arange(10) == 3, np.inf, x),
    "overflowing": lambda x: np.where(np.arange(10) == 3, 1e300, x.astype(float)),
    "dates": lambda x: x.astype("datetime64[s]"),
}


@pytest.mark.parametrize("wrong", WRONG_INPUTS)
def test_input_that_the_network_does_not_take(
    refused: Callable[..., str], folder: Path, mlp: Sample, wrong: str
) -> None:
    assert "'x'" in refused(data=archive(folder, x=WRONG_INPUTS[wrong](mlp.x), y=mlp.y))


def test_data_without_samples_are_refused(
    refused: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    assert "no samples" in refused(data=archive(folder, x=mlp.x[:0], y=mlp.y[:0]))


def test_too_few_samples_of_each_class(
    refused: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    few = slice(0, 9 * CLASSES)
    message = refused(data=archive(folder, x=mlp.x[few], y=mlp.y[few]))
    assert "the largest class has 9" in message


WRONG_LABELS = {
    "other-length": (lambda y: y[:-1], f"{len(range(CLASSES * PER_CLASS)) - 1} labels"),
    "floats": (lambda y: y.astype(float), "convert them with y.astype(int)"),
    "yes-or-no": (lambda y: y > 1, "convert them with y.astype(int)"),
    "missing": (lambda y: np.where(y == 0, np.nan, y), "some of them are NaN"),
    "real": (lambda y: y + 0.5, "a regression has no classes"),
    "names": (lambda y: np.array(["cat", "dog"])[y % 2], "2 different names"),
    "one-hot": (lambda y: np.eye(CLASSES, dtype=int)[y], "take y.argmax(axis=1)"),
    "negative": (lambda y: y - 1, "negative"),
    "too-high": (lambda y: y + 1, f"label {CLASSES} is out of range"),
    "one-too-high": (lambda y: np.where(np.arange(len(y)) == 5, 999, y), "label 999"),
    "unsigned-huge": (lambda y: y.astype(np.uint64) + np.uint64(2**63), "label"),
}


@pytest.mark.parametrize("wrong", WRONG_LABELS)
def test_labels_that_do_not_match(
    refused: Callable[..., str], folder: Path, mlp: Sample, wrong: str
) -> None:
    change, expected = WRONG_LABELS[wrong]
    assert expected in refused(data=archive(folder, x=mlp.x, y=change(mlp.y)))


def test_split_that_the_data_do_not_have(refused: Callable[..., str]) -> None:
    assert "split" in refused("--split", "heldout")


def test_labels_of_other_samples_are_reported_as_chance(
    inconclusive: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    wrong = (mlp.y + np.arange(len(mlp.y)) // CLASSES) % CLASSES
    reason = inconclusive(mlp.path, Path(archive(folder, x=mlp.x, y=wrong)))
    assert "chance" in reason
    assert "labels" in reason


def test_wrong_preprocessing_is_reported_as_chance(
    inconclusive: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    wrong = np.random.default_rng(1).permuted(mlp.x, axis=1)
    reason = inconclusive(mlp.path, Path(archive(folder, x=wrong, y=mlp.y)))
    assert "chance" in reason
    assert "preprocessing" in reason


def test_scores_that_never_vary_are_reported_as_chance(
    inconclusive: Callable[..., str], folder: Path, mlp: Sample
) -> None:
    nodes, weights = mlp_parts(10)
    sample = store(
        folder,
        "dead",
        build(nodes, weights | {"b2": np.full_like(weights["b2"], -1e6)}, ["n", 10], "features"),
        mlp.x,
        mlp.y,
    )
    assert "chance" in inconclusive(sample.path, sample.data)


# Options


WRONG_OPTIONS = {
    "layer": (("--layers", "conv*"), "relu1"),
    "rank-zero": (("--ranks", "0"), "--ranks"),
    "rank-twice": (("--ranks", "1,2,2"), "names a rank twice"),
    "ranks-too-high": (("--ranks", "12,500"), "no layer is wider than 12"),
    "rank-word": (("--ranks", "x"), "--ranks"),
    "rank-empty": (("--ranks", ""), "--ranks"),
    "gate": (("--fail-under", "nmf.deep=0.5"), "nmf.mixed"),
    "gate-not-measured": (("--fail-under", "pca.class=0.5"), "nmf.mixed"),
    "gate-word": (("--fail-under", "nmf.mixed=half"), "'half'"),
    "gate-nan": (("--fail-under", "nmf.mixed=nan"), "nmf.mixed"),
    "gate-percent": (("--fail-under", "nmf.mixed=50"), "between 0 and 1"),
    "gate-bare": (("--fail-under", "nmf.mixed"), "KEY=VALUE"),
    "compressor": (("--compress", "nmf,svd"), "'svd'"),
    "no-compressor": (("--compress", ","), "no compressor"),
    "batch": (("--batch", "double"), "'double'"),
    "metric": (("--metric", "top5"), "top5"),
    "device": (("--device", "gpu"), "'gpu'"),
    "memory": (("--memory", "plenty"), "'plenty'"),
    "memory-zero": (("--memory", "0"), "--memory"),
    "seed": (("--seed", "-1"), "--seed"),
    "seed-word": (("--seed", "x"), "--seed"),
    "per-class": (("--per-class", "1"), "--per-class"),
    "max-drop": (("--max-drop", "0.1"), "--baseline"),
    "min-accuracy": (("--min-accuracy", "95"), "--min-accuracy"),
    "no-baseline": (("--baseline", "nowhere.json"), "nowhere.json"),
    "output-name": (("--output-name", "probabilities"), "logits"),
    "bind": (("--bind", "x"), "--bind"),
    "bind-unknown": (("--bind", "y=3"), "'y'"),
    "option": (("--jsno", "x"), "--jsno"),
    "missing-folder": (("--html", "missing/out.html"), "missing/out.html"),
    "nameless-file": (("--html", ""), "cannot write"),
    "nameless-baseline": (("--baseline", ""), "cannot read"),
    "same-file": (("--html", "out.json"), "same place"),
    "surplus": (("surplus",), "surplus"),
}


@pytest.mark.parametrize("wrong", WRONG_OPTIONS)
def test_option_that_cannot_be(refused: Callable[..., str], wrong: str) -> None:
    options, expected = WRONG_OPTIONS[wrong]
    assert expected in refused(*options)


def test_output_that_is_a_folder(refused: Callable[..., str], folder: Path) -> None:
    (folder / "page.html").mkdir()
    assert "page.html" in refused("--html", "page.html")


def test_output_that_may_not_be_written(refused: Callable[..., str]) -> None:
    assert "/proc/out.html" in refused("--html", "/proc/out.html")


def test_memory_that_holds_no_sample(refused: Callable[..., str], cnn: Sample) -> None:
    assert "--memory" in refused("--memory", "1k", model=cnn.path, data=cnn.data, code=4)


def test_unknown_command(command: Command) -> None:
    outcome = command("adit")
    assert outcome.code == 2
    assert "adit" in outcome.error


def test_missing_data_option(command: Command, mlp: Sample) -> None:
    outcome = command("audit", mlp.path)
    assert outcome.code == 2
    assert "--data" in outcome.error


def test_explicit_cuda_does_not_fall_back(refused: Callable[..., str]) -> None:
    from onnxmem.errors import DeviceError
    from onnxmem.runtime import select_device

    try:
        select_device("cuda")
    except DeviceError:
        assert "CUDA" in refused("--device", "cuda", code=4)
    else:
        pytest.skip("CUDA works here")


# Reports to compare with


def test_baseline_that_is_no_report(refused: Callable[..., str], folder: Path) -> None:
    (folder / "old.json").write_text('{"schema": "something/1"}')
    assert "old.json" in refused("--baseline", "old.json")


@pytest.mark.parametrize("option", [("--per-class", "12"), ("--split", "half")])
def test_baseline_of_other_settings_or_data(
    command: Command, folder: Path, mlp: Sample, option: tuple[str, str]
) -> None:
    split = np.where(np.arange(len(mlp.y)) < len(mlp.y) // 2, "half", "rest")
    np.savez(folder / "split.npz", x=mlp.x, y=mlp.y, split=split)
    audit = ("audit", mlp.path, "--data", "split.npz", "-q", *QUICK[:-2])
    assert command(*audit, "--json", "old.json").code == 0
    outcome = command(*audit, *option, "--baseline", "old.json", "--max-drop", "0.1")
    assert outcome.code == 2
    assert "differ" in outcome.error


# What a traceback is for


def test_traceback_only_if_verbose(command: Command) -> None:
    outcome = command("audit", "nowhere.onnx", "--data", "nowhere.npz", "-v")
    assert outcome.code == 2
    assert "Traceback" in outcome.err
    assert outcome.err.splitlines()[-1].startswith("onnxmem: error: ")
