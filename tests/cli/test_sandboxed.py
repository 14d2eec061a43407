"""Commands that open models, as commands of their own: in a child that may touch little."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import numpy as np
import onnx
import pytest
from onnxmem.cli.entry import COMMANDS, cli
from sample_networks import Sample

from onnxmem.sandbox.landlock import available

Command = Callable[..., Any]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="this system cannot fork")

QUICK = ("--ranks", "1", "--compress", "nmf", "--batch", "mixed", "--no-samples", "-q")
OPENING = set(COMMANDS) - {"cache", "demo", "doctor", "report", "survey"}

PLAIN = "from onnxmem.cli import main; main()"
DRIVER = """
import os, sys
from onnxmem.cli import main
first = os.getpid()
try:
    main()
finally:
    print(*sys.modules, file=open(f"{'parent' if os.getpid() == first else 'child'}.txt", "w"))
"""

LOOP = """<ir_version: 8, opset_import: ["": 17]> network (float[n,6] x) => (float[n,3] y) {
    a = MatMul(x, w) r = Relu(a)
    l = Loop(turns, go, r) <body = b (int64 i, bool c, float[n,8] p) => (bool d, float[n,8] q) {
        d = Identity(c) q = Relu(p) }>
    y = MatMul(l, v) }"""


def start(folder: Path, *words: object, code: str = PLAIN) -> subprocess.Popen[str]:
    """Start the command in a process of its own, in `folder`."""
    (folder / "tmp").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, words)],
        cwd=folder,
        env=os.environ | {"TMPDIR": str(folder / "tmp")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def onnxmem(folder: Path, *words: object, code: str = PLAIN) -> tuple[int, str]:
    """Run the command; return its code and what it said on stderr."""
    process = start(folder, *words, code=code)
    _, err = process.communicate(timeout=300)
    assert not list((folder / "tmp").iterdir()), "nothing stays behind"
    return process.returncode, err


@pytest.fixture
def loop(tmp_path: Path) -> Path:
    """Give a model that takes longer than anybody waits, and its data."""
    model = onnx.parser.parse_model(LOOP)
    for name, array in (
        ("w", np.ones((6, 8), np.float32)), ("v", np.ones((8, 3), np.float32)),
        ("turns", np.array(1 << 60)), ("go", np.array(True)),
    ):  # fmt: skip
        model.graph.initializer.append(onnx.numpy_helper.from_array(array, name))
    onnx.save(model, tmp_path / "loop.onnx")
    return tmp_path / "loop.onnx"


def test_a_model_without_an_end_is_ended_in_one_line(loop: Path) -> None:
    words = ("inspect", loop.name, "--verify", "-q", "--timeout", "3", "--json", "found.json")
    code, err = onnxmem(loop.parent, *words)
    assert (code, err) == (4, "onnxmem: error: loop.onnx: it took longer than --timeout 3 s\n")
    left = {path.name for path in loop.parent.iterdir()}
    assert left == {"loop.onnx", "tmp"}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_command_ends_all_of_it(loop: Path, number: int) -> None:
    process = start(loop.parent, "inspect", loop.name, "--verify", "-q")
    while not list((loop.parent / "tmp").glob("*/libraries-said")):
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(number)
    _, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert err == "onnxmem: interrupted; no output was written\n"
    assert not list((loop.parent / "tmp").iterdir())


def test_the_parent_imports_nothing_that_opens_models(mlp: Sample, tmp_path: Path) -> None:
    waiver = '[[waiver]]\ngate = "nmf.mixed"\nreason = "known"\nexpires = "2999-01-01"\n'
    (tmp_path / "onnxmem.toml").write_text(waiver)
    words = ("audit", mlp.path, "--data", mlp.data, *QUICK, "--html", "r.html", "--no-cache")
    assert onnxmem(tmp_path, *words, code=DRIVER)[0] == 0
    heavy = {"altair", "jinja2", "numba", "numpy", "onnx", "onnx_ir", "onnxruntime", "psutil"}
    parent, child = (
        {name.partition(".")[0] for name in (tmp_path / f"{one}.txt").read_text().split()}
        for one in ("parent", "child")
    )
    assert not parent & heavy
    assert {"numpy", "onnx", "onnxruntime"} <= child


def test_reports_say_what_was_in_force_and_numbers_are_the_same(
    mlp: Sample, tmp_path: Path
) -> None:
    for name, words in (("in", ("--timeout", "200")), ("again", ()), ("out", ("--no-sandbox",))):
        given = ("audit", mlp.path, "--data", mlp.data, *QUICK, "--json", f"{name}.json")
        assert onnxmem(tmp_path, *given, "--no-cache", *words) == (0, "")
    reports = [json.loads((tmp_path / f"{n}.json").read_text()) for n in ("in", "again", "out")]
    found = [one["environment"].pop("sandbox") for one in reports]
    abi, reason = available().abi, available().reason
    assert found == [
        {"limits": ["core", "cpu", "data"], "landlock": abi, "reason": reason},
        {"limits": ["core", "data"], "landlock": abi, "reason": reason},
        {"limits": [], "landlock": 0, "reason": "--no-sandbox"},
    ]
    first, *others = ({**one, "timings": {}} for one in reports)
    assert all(one == first for one in others)


def test_a_file_may_turn_it_off_and_stderr_says_so(mlp: Sample, tmp_path: Path) -> None:
    (tmp_path / "onnxmem.toml").write_text("sandbox = false\ntimeout = 200\n")
    words = ("audit", mlp.path, "--data", mlp.data, *QUICK[:-1], "--json", "r.json")
    code, err = onnxmem(tmp_path, *words)
    assert code == 0 and "settings from onnxmem.toml: sandbox = False" in err
    report = json.loads((tmp_path / "r.json").read_text())
    assert report["environment"]["sandbox"]["reason"] == "--no-sandbox"


def test_a_report_that_is_known_is_so_whether_it_was_made_in_a_sandbox_or_not(
    mlp: Sample, tmp_path: Path
) -> None:
    words = ("audit", mlp.path, "--data", mlp.data, *QUICK[:-1], "--device", "cpu")
    assert "from the cache" not in onnxmem(tmp_path, *words)[1]
    assert "2 of 2 layers from the cache" in onnxmem(tmp_path, *words, "--no-sandbox")[1]
    assert "2 of 2 layers from the cache" in onnxmem(tmp_path, *words, "--timeout", "99")[1]


@pytest.mark.skipif(not available().abi, reason="no Landlock")
def test_what_was_not_named_cannot_be_read(mlp: Sample, tmp_path: Path) -> None:
    """A command that was taken over: it looks for a file of the user's."""
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "secret").write_text("x")
    taken = (
        "import onnxmem.cli.inspect_command as c\n"
        "def stolen(model, **_):\n"
        "    for path in (model, 'home/secret'):\n"
        "        try: print(open(path, 'rb').read(1))\n"
        "        except PermissionError: print('kept out')\n"
        "    return 0\n"
        "c.command.callback = stolen\n"
    )
    process = start(tmp_path, "inspect", mlp.path, code=taken + PLAIN)
    out, err = process.communicate(timeout=300)
    assert out.splitlines() == ["b'\\x08'", "kept out"], err


@pytest.mark.parametrize(
    ("fate", "said"),
    [
        ("os.kill(os.getpid(), 11)", "its process died of SIGSEGV"),
        ("os.write(2, b'what(): std::bad_alloc'); os.abort()", "out of memory"),
        ("os._exit(77)", "its process ended with code 77"),
    ],
)
def test_every_death_is_one_line_and_exit_4(tmp_path: Path, fate: str, said: str) -> None:
    taken = (
        "import os, onnxmem.cli.inspect_command as c\n"
        f"def fated(**_): {fate}\n"
        "c.command.callback = fated\n"
    )
    process = start(tmp_path, "inspect", "m\x1b.onnx", code=taken + PLAIN)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 4 and err.count("\n") == 1
    assert err.startswith("onnxmem: error: m\\x1b.onnx: ") and said in err


def test_within_another_program_a_command_stays_where_it_is(
    command: Command, mlp: Sample, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("it forks"))
    outcome = command("inspect", mlp.path, "--timeout", "100")
    assert outcome.code == 0


@pytest.mark.parametrize("name", sorted(OPENING))
def test_every_command_that_opens_models_takes_a_timeout(command: Command, name: str) -> None:
    context = click.Context(cli)
    found = cli.get_command(context, name)
    assert found is not None
    assert {"timeout", "sandbox"} <= {option.name for option in found.params}


@pytest.mark.parametrize("seconds", ["0", "-1", "nan"])
def test_no_time_at_all_is_refused(command: Command, seconds: str) -> None:
    outcome = command("inspect", "m.onnx", "--timeout", seconds)
    assert outcome.code == 2 and "give seconds above 0" in outcome.error


def test_without_a_fork_the_process_itself_ends_in_time(loop: Path) -> None:
    code = "import onnxmem.sandbox.forked as f; f.CAN_FORK = False; " + PLAIN
    words = ("inspect", loop.name, "--verify", "-q", "--timeout", "9")
    process = start(loop.parent, *words, code=code)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 4
    assert err == "onnxmem: error: loop.onnx: it took longer than --timeout 9 s\n"


def test_outputs_may_be_pipes_and_devices(mlp: Sample, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    words = ("inspect", mlp.path, "-q", "--json", "pipe")
    process = start(tmp_path, *words)
    with (tmp_path / "pipe").open() as stream:
        assert json.load(stream)["sites"]
    assert process.communicate(timeout=300) == ("", "")
    for path in ("/dev/stdout", "/dev/stderr", "/dev/fd/1"):
        process = start(tmp_path, *words[:-1], path)
        out, err = process.communicate(timeout=300)
        assert json.loads(out or err)["sites"], path
