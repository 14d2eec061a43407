"""Options from files."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sample_networks import Sample

Command = Callable[..., Any]


@pytest.fixture
def settings(command: Command, folder: Path, mlp: Sample) -> Callable[..., dict[str, Any]]:
    """Return the function that audits with a configuration and returns the report's settings."""

    def run(text: str, *options: str, name: str = "onnxmem.toml") -> dict[str, Any]:
        (folder / name).write_text(text)
        outcome = command("audit", mlp.path, "--data", mlp.data, "-q", "--json", "r.json", *options)
        assert outcome.code in (0, 1), outcome
        report = json.loads((folder / "r.json").read_text())
        found: dict[str, Any] = report["settings"] | {"verdict": report["verdict"]}
        return found

    return run


FAST = 'compress = "nmf"\nbatch = ["mixed"]\nranks = [1, 4]\n'


def test_options_of_the_own_file(settings: Callable[..., dict[str, Any]]) -> None:
    found = settings(FAST + "per-class = 12\nseed = 3\nexact = true\nmin_accuracy = 0.5")
    assert (found["per_class"], found["seed"], found["exact"]) == (12, 3, True)
    assert (found["compress"], found["batch"], found["ranks"]) == (["nmf"], ["mixed"], [1, 4])
    assert found["min_accuracy"] == 0.5


def test_options_of_the_project(settings: Callable[..., dict[str, Any]]) -> None:
    text = "[project]\nname = 'p'\n[tool.onnxmem]\nper-class = 12\n" + FAST
    assert settings(text, name="pyproject.toml")["per_class"] == 12


def test_own_file_goes_before_the_project(
    settings: Callable[..., dict[str, Any]], folder: Path
) -> None:
    (folder / "pyproject.toml").write_text("[tool.onnxmem]\nper-class = 12\n")
    assert settings(FAST + "per-class = 11")["per_class"] == 11


def test_project_without_our_table_changes_nothing(
    settings: Callable[..., dict[str, Any]],
) -> None:
    found = settings("[tool.other]\nx = 1", "--ranks", "1", name="pyproject.toml")
    assert found["per_class"] == 30


def test_command_line_goes_before_files(settings: Callable[..., dict[str, Any]]) -> None:
    assert settings(FAST + "per-class = 12", "--per-class", "13")["per_class"] == 13


@pytest.mark.parametrize("layers", ['"relu2"', '["relu2"]'])
def test_one_or_several_layers(settings: Callable[..., dict[str, Any]], layers: str) -> None:
    assert settings(FAST + f"layers = {layers}")["layers"] == ["relu2"]


@pytest.mark.parametrize(
    "gate",
    [
        'fail-under = "nmf.mixed=0.1"',
        'fail-under = ["nmf.mixed=0.1"]',
        'fail-under = {"nmf.mixed" = 0.1}',
        "[fail-under]\nnmf.mixed = 0.1",
    ],
)
def test_gates_may_be_a_table_or_pairs(settings: Callable[..., dict[str, Any]], gate: str) -> None:
    found = settings(FAST + gate)
    assert found["fail_under"] == {"nmf.mixed": 0.1}
    assert found["verdict"] == "pass"


@pytest.mark.parametrize(
    "line",
    ["seed = 1.5", "per-class = true", 'exact = "perhaps"', "exact = 7", f"exact = {'10' * 200}"],
)
def test_values_of_another_type_are_not_rounded(
    command: Command, folder: Path, mlp: Sample, line: str
) -> None:
    (folder / "onnxmem.toml").write_text(line)
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert outcome.code == 2
    assert f"onnxmem.toml: {line.split(' ')[0]} = " in outcome.error


@pytest.mark.parametrize("text", ["per-class = 12", "[broken", "unknown = 1"])
@pytest.mark.parametrize("name", ["onnxmem.toml", "pyproject.toml"])
def test_commands_without_settings_do_not_read_them(
    command: Command, folder: Path, mlp: Sample, name: str, text: str
) -> None:
    (folder / name).write_text(text)
    assert command("doctor", "-q").code == 0
    assert command("inspect", mlp.path, "-q").code == 0


WRONG = {
    "seed = 1.5": "seed = 1.5: ",
    "seed = -1": "seed = -1: --seed -1 is negative",
    "ranks = 'many'": "ranks = many: --ranks 'many': give auto",
    "ranks = [4, 0]": "ranks = 4,0: --ranks",
    "compress = ['nmf', 'svd']": "compress = nmf,svd: unknown compressor 'svd'",
    "memory = 'much'": "memory = much: ",
    "metric = 'top5'": "metric = top5: ",
    "fail-under = {nmf = {mixed = 2}}": "fail-under = nmf.mixed=2: gate nmf.mixed=2.0",
    "bind = 'x'": "bind = x: --bind 'x'",
    "json = 5": "json = 5: give a path",
    r'html = "a\u0000b"': r"html = a\x00b: a path holds no NUL characters",
    r'baseline = "a\u0000b"': r"baseline = a\x00b: a path holds no NUL characters",
    "zzz = 1": "unknown key 'zzz'; there are attest, baseline, baseline-data, batch, bind, bom, ",
    "ranksx = 1": "unknown key 'ranksx'; did you mean 'ranks'?",
    "per-class = 12\nper_class = 13": "sets 'per-class' and 'per_class', which are one option",
}


@pytest.mark.parametrize("line", WRONG)
@pytest.mark.parametrize(
    ("name", "head", "place"),
    [
        ("onnxmem.toml", "", "onnxmem.toml: "),
        ("pyproject.toml", "[tool.onnxmem]\n", "pyproject.toml: [tool.onnxmem] "),
    ],
)
@pytest.mark.parametrize("subcommand", ["audit", "compare"])
def test_what_is_wrong_in_a_file_is_said_with_its_name_and_the_key(
    command: Command, folder: Path, line: str, name: str, head: str, place: str, subcommand: str
) -> None:
    (folder / name).write_text(head + line)
    models = ("a.onnx", "b.onnx")[: 1 + (subcommand == "compare")]
    outcome = command(subcommand, *models, "--data", "d.npz")
    assert outcome.code == 2
    assert f"onnxmem: error: {place}{WRONG[line]}" in outcome.error


@pytest.mark.parametrize(
    ("line", "options", "words"),
    [
        ("per-class = 12", ("--seed", "-1"), "error: --seed -1 is negative"),
        ("seed = 3", ("--seed", "-1"), "error: --seed -1 is negative"),
        ("ranks = 'many'", ("--ranks", "few"), "error: --ranks 'few'"),
        ("compress = 'pca'", ("--fail-under", "nmf.mixed=1"), "onnxmem.toml: compress = pca: "),
        ("compress = 'pca'", ("--fail-under", "nmf=1"), "error: unknown gate 'nmf': "),
    ],
)
def test_the_command_line_is_to_blame_for_its_own_values(
    command: Command, folder: Path, line: str, options: tuple[str, ...], words: str
) -> None:
    (folder / "onnxmem.toml").write_text(line)
    outcome = command("audit", "net.onnx", "--data", "d.npz", *options)
    assert outcome.code == 2
    assert words in outcome.error
    assert ("onnxmem.toml" in outcome.error) is ("onnxmem.toml" in words)


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ("layers = 'conv*'", "layers = conv*"),
        ("output-name = 'scores'", "output-name = scores"),
        ("json = 'nowhere/r.json'", "json = nowhere/r.json"),
        ("baseline = 'old.json'", "baseline = old.json"),
        ("max-drop = 0.1", "max-drop = 0.1"),
        ("labels = 'y.npy'", "labels = y.npy"),
        ("device = 'tpu'", "device = tpu"),
        ("split = 'test'", "split = test"),
    ],
)
def test_values_that_turn_out_wrong_later_are_traced_to_the_file(
    command: Command, folder: Path, mlp: Sample, line: str, key: str
) -> None:
    (folder / "onnxmem.toml").write_text(f"per-class = 12\n{line}")
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert outcome.code == 2
    assert outcome.error.endswith(f" (onnxmem.toml: {key})")


def test_preparation_in_a_file_beside_the_configuration(
    command: Command, folder: Path, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / ".git").mkdir()
    (folder / "onnxmem.toml").write_text("preprocess = ['prepare.json', 'size=8']")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert outcome.code == 2
    assert outcome.error.endswith(
        f"({Path('../onnxmem.toml')}: preprocess = {Path('../prepare.json')},size=8)"
    )


def test_only_settings_in_force_are_told(command: Command, folder: Path, mlp: Sample) -> None:
    (folder / "onnxmem.toml").write_text(FAST + "seed = 3\nper-class = 12")
    audit = ("audit", mlp.path, "--data", mlp.data)
    outcome = command(*audit, "--seed", "4", "--ranks", "1", "--json", "r.json")
    assert outcome.err.splitlines() == [
        "onnxmem: settings from onnxmem.toml: compress = nmf, batch = mixed, per-class = 12"
    ]
    every = ("--seed", "4", "--ranks", "1", "--compress", "nmf", "--batch", "mixed")
    assert not command(*audit, *every, "--per-class", "12").err
    compared = command("compare", "r.json", "r.json", "--html", "-")
    assert "settings from" not in compared.err
    (folder / "onnxmem.toml").write_text("seed = 3\nfail-under = 'nmf.mixed=0'")
    compared = command("compare", "r.json", "r.json")
    assert compared.err.splitlines()[0] == (
        "onnxmem: settings from onnxmem.toml: fail-under = nmf.mixed=0"
    )


def test_the_nearest_file_up_to_the_root_of_the_repository_counts(
    command: Command, folder: Path, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "pyproject.toml").write_text(f"[tool.onnxmem]\nper-class = 12\n{FAST}")
    (folder / "onnxmem.toml").write_text("per-class = 'of another folder'")
    root = folder / "repository"
    (root / ".git").mkdir(parents=True)
    (root / "deep" / "er").mkdir(parents=True)
    (root / "pyproject.toml").write_text(f"[tool.onnxmem]\njson = 'r.json'\n{FAST}")
    (root / "deep" / "pyproject.toml").write_text("[tool.other]\nx = 1")
    monkeypatch.chdir(root / "deep" / "er")
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert outcome.code == 0
    assert outcome.err.splitlines()[0].startswith(
        f"onnxmem: settings from {Path('../../pyproject.toml')}: json = {Path('../../r.json')}, "
    )
    assert json.loads((root / "r.json").read_text())["settings"]["ranks"] == [1, 4]


def test_outside_of_a_repository_only_the_current_folder_counts(
    command: Command, folder: Path, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "onnxmem.toml").write_text("[broken")
    (folder / "below").mkdir()
    monkeypatch.chdir(folder / "below")
    outcome = command("audit", mlp.path, "--data", mlp.data, "--ranks", "1", "--compress", "pca")
    assert outcome.code == 0
    assert "settings from" not in outcome.err


def test_quiet_does_not_tell_what_a_file_sets(command: Command, folder: Path, mlp: Sample) -> None:
    (folder / "onnxmem.toml").write_text(FAST + "quiet = true")
    outcome = command("audit", mlp.path, "--data", mlp.data)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")


@pytest.mark.parametrize(("text", "traced"), [("verbose = true", True), ("verbose = false", False)])
def test_verbose_in_a_file_shows_tracebacks(
    command: Command, folder: Path, text: str, traced: bool
) -> None:
    (folder / "onnxmem.toml").write_text(text)
    outcome = command("audit", "missing.onnx", "--data", "missing.npz")
    assert outcome.code == 2
    assert ("Traceback" in outcome.err) is traced
    assert outcome.err.splitlines()[-1].startswith("onnxmem: error: ")


def test_verbose_tells_the_command_line_with_all_settings(
    command: Command, folder: Path, mlp: Sample
) -> None:
    (folder / "onnxmem.toml").write_text(FAST)
    outcome = command("audit", mlp.path, "--data", mlp.data, "--seed", "3", "-v")
    line = outcome.err.splitlines()[-1]
    assert line.startswith("onnxmem audit ")
    assert "--compress=nmf --batch=mixed --per-class=30 --ranks=1,4 --metric=top1" in line
    assert "--seed=3" in line


def test_gates_of_the_command_line_take_the_place_of_those_in_the_file(
    settings: Callable[..., dict[str, Any]],
) -> None:
    found = settings(FAST + "[fail-under]\nnmf.mixed = 0.9", "--fail-under", "nmf.mixed=0.1")
    assert found["fail_under"] == {"nmf.mixed": 0.1}
    assert found["verdict"] == "pass"


def test_a_file_can_turn_the_cache_off(
    settings: Callable[..., dict[str, Any]], cache_folder: Path
) -> None:
    settings(FAST + "cache = false")
    assert not cache_folder.exists()


@pytest.fixture
def elsewhere(folder: Path, mlp: Sample, command: Command, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the function that audits in the folder `here` with a configuration there."""
    here = folder / "here"
    here.mkdir()

    def run(text: str, *options: str) -> Any:
        (here / "onnxmem.toml").write_text(FAST + "quiet = true\n" + text)
        monkeypatch.chdir(here)
        return command("audit", mlp.path, "--data", mlp.data, *options)

    return run


@pytest.mark.parametrize("path", ["../other.html", "/tmp/other.html", "link/other.html", ".."])
def test_a_file_names_no_output_outside_of_its_folder(
    elsewhere: Any, folder: Path, path: str
) -> None:
    (folder / "other.html").write_text("mine")
    (folder / "here" / "link").symlink_to(folder)
    outcome = elsewhere(f'html = "{path}"')
    assert outcome.code == 2
    assert "outside of" in outcome.error and "onnxmem.toml: html" in outcome.error
    assert (folder / "other.html").read_text() == "mine"


@pytest.mark.parametrize("content", ["", "[tool.onnxmem]", '{"schema": "mine"}', "# onnxmem: x"])
def test_a_file_overwrites_nothing_that_onnxmem_did_not_write(
    elsewhere: Any, folder: Path, content: str
) -> None:
    (folder / "here" / "notes").write_text(content)
    outcome = elsewhere('json = "notes"')
    assert outcome.code == 2 and "no report of onnxmem" in outcome.error
    assert (folder / "here" / "notes").read_text() == content
    assert elsewhere('json = "notes"', "--json", "notes").code == 0


@pytest.mark.parametrize(
    ("name", "kind"),
    [("json", "r.json"), ("html", "r.html"), ("markdown", "r.md"), ("junit", "r.xml"),
     ("sarif", "r.sarif"), ("samples", "r.csv"), ("samples", "r.parquet")],
)  # fmt: skip
def test_a_file_overwrites_what_onnxmem_wrote(
    elsewhere: Any, folder: Path, name: str, kind: str
) -> None:
    if kind.endswith("parquet"):
        pytest.importorskip("pyarrow")
    line = f'samples-path = "{kind}"' if name == "samples" else f'{name} = "{kind}"'
    for _ in range(2):
        assert elsewhere(line).code == 0
        assert (folder / "here" / kind).stat().st_size > 100
