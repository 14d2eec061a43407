"""The wrapper of Landlock: what it asks of which kernel, and what a process can do then."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from onnxmem.sandbox import landlock
from onnxmem.sandbox.landlock import Landlock, Rules, available, restrict

Script = Callable[..., subprocess.CompletedProcess[str]]

HERE = available()
needs_landlock = pytest.mark.skipif(not HERE.abi, reason=HERE.reason or "no Landlock")
linux = pytest.mark.skipif(sys.platform != "linux", reason="system calls of Linux")

TRIAL = """
import os, sys
from onnxmem.sandbox import landlock
from onnxmem.sandbox.landlock import Landlock, Rules, restrict
abi, inside, outside, action = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
if abi:
    landlock.available = lambda: Landlock(abi)
system = ("/usr", "/lib", "/lib64", "/bin", "/etc", sys.prefix, sys.base_prefix, *sys.path[1:])
found = restrict(Rules(read=(inside,), run=system, devices=("/dev/null",)))
assert found.abi == (abi or found.abi), found
try:
    print(eval(action))
except OSError as error:
    print(type(error).__name__)
"""


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Give a folder that may be read, and one that may not, each with a file."""
    for name in ("inside", "outside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    return tmp_path / "inside", tmp_path / "outside"


@needs_landlock
@pytest.mark.parametrize("abi", range(1, HERE.abi + 1))
def test_only_what_is_named_can_be_read_whatever_the_kernel_knows(
    script: Script, places: tuple[Path, Path], abi: int
) -> None:
    for action, said in (
        ("open(inside + '/file').read()", "inside"),
        ("open(outside + '/file').read()", "PermissionError"),
    ):
        done = script(TRIAL, abi, *places, action)
        assert done.stdout.strip() == said, done.stderr


@needs_landlock
@pytest.mark.parametrize(
    "action",
    [
        "open(inside + '/new', 'w')",
        "open(inside + '/file', 'a')",
        "os.mkdir(inside + '/new')",
        "os.unlink(inside + '/file')",
        "os.rename(inside + '/file', inside + '/other')",
        "os.listdir(outside)",
        "os.execv(inside + '/file', ['file'])",
    ],
)
def test_what_may_be_read_can_be_neither_changed_nor_started(
    script: Script, places: tuple[Path, Path], action: str
) -> None:
    os.chmod(places[0] / "file", 0o755)
    done = script(TRIAL, 0, *places, action)
    assert done.stdout.strip() == "PermissionError", done.stderr
    assert [path.name for path in places[0].iterdir()] == ["file"]


@needs_landlock
def test_what_may_be_written_can_be_made_replaced_and_removed(
    script: Script, places: tuple[Path, Path]
) -> None:
    code = TRIAL.replace("Rules(", "Rules(write=(outside,), ")
    for action in (
        "open(outside + '/new', 'w').write('x')",
        "os.replace(outside + '/new', outside + '/file')",
        "[os.mkdir(outside + '/a'), os.rename(outside + '/file', outside + '/a/b')]",
        "os.unlink(outside + '/a/b')",
    ):
        done = script(code, 0, *places, action)
        assert done.stdout.strip() != "PermissionError", (action, done.stderr)
    assert [path.name for path in places[1].iterdir()] == ["a"]


@pytest.mark.skipif(HERE.abi < 4, reason="knows nothing of the network")
@pytest.mark.parametrize("action", ["one.bind(('127.0.0.1', 0))", "one.connect(('127.0.0.1', 9))"])
def test_there_is_no_network(script: Script, places: tuple[Path, Path], action: str) -> None:
    code = TRIAL.replace("try:", "import socket\none = socket.socket()\ntry:")
    done = script(code, 0, *places, action)
    assert done.stdout.strip() == "PermissionError", done.stderr


@pytest.mark.skipif(HERE.abi < 6, reason="knows nothing of signals")
def test_processes_outside_hear_no_signals(script: Script, places: tuple[Path, Path]) -> None:
    done = script(TRIAL, 0, *places, "os.kill(os.getppid(), 0)")
    assert done.stdout.strip() == "PermissionError", done.stderr


class Kernel:
    """A kernel of some ABI, that notes what is asked of it."""

    def __init__(self, abi: int, failing: int = 0, code: int = 0) -> None:
        self.abi, self.failing, self.code = abi, failing, code
        self.asked: list[tuple[int, tuple[Any, ...]]] = []

    def __call__(self, number: int, *arguments: Any) -> int:
        self.asked.append((number, arguments))
        if number == self.failing:
            raise OSError(self.code, os.strerror(self.code))
        if number == 444:
            return self.abi if arguments[-1] == 1 else os.open(os.devnull, os.O_RDONLY)
        return 0

    @property
    def attributes(self) -> list[int]:
        """What the ruleset handles: of files, of the network, of scopes."""
        (text,) = (a[0] for number, a in self.asked if number == 444 and a[0] is not None)
        return [int.from_bytes(text[k : k + 8], sys.byteorder) for k in range(0, len(text), 8)]


@pytest.fixture
def harmless(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landlock, "_give_up_privileges", lambda: None)


@linux
@pytest.mark.usefixtures("harmless")
@pytest.mark.parametrize(
    ("abi", "attributes"),
    [
        (1, [0x1FFF]), (2, [0x3FFF]), (3, [0x7FFF]), (4, [0x7FFF, 3]), (5, [0xFFFF, 3]),
        (6, [0xFFFF, 3, 3]), (7, [0xFFFF, 3, 3]), (12, [0xFFFF, 3, 3]),
    ],
)  # fmt: skip
def test_a_kernel_is_asked_for_what_it_knows(
    monkeypatch: pytest.MonkeyPatch, abi: int, attributes: list[int]
) -> None:
    kernel = Kernel(abi)
    monkeypatch.setattr(landlock, "_call", kernel)
    assert restrict(Rules(read=("/",))) == Landlock(min(abi, 7))
    assert kernel.attributes == attributes
    assert kernel.asked[-1][0] == 446


@linux
@pytest.mark.usefixtures("harmless")
@pytest.mark.parametrize("failing", [444, 445, 446])
@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP, errno.EINVAL])
def test_where_the_calls_fail_it_goes_on_without(
    monkeypatch: pytest.MonkeyPatch, failing: int, code: int
) -> None:
    monkeypatch.setattr(landlock, "_call", Kernel(5, failing, code))
    found = restrict(Rules(read=("/",)))
    if failing == 445:  # a rule that is not taken opens nothing
        assert found == Landlock(5)
    else:
        assert found.abi == 0 and found.reason


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert available().abi == 0 and "Linux" in available().reason
    assert restrict(Rules()).abi == 0


@linux
@pytest.mark.usefixtures("harmless")
def test_rules_on_what_is_not_there_are_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    kernel = Kernel(7)
    monkeypatch.setattr(landlock, "_call", kernel)
    (tmp_path / "file").touch()
    restrict(Rules(read=(str(tmp_path / "none"), "\0", str(tmp_path / "file"), str(tmp_path))))
    rights = [int.from_bytes(a[2][:8], sys.byteorder) for n, a in kernel.asked if n == 445]
    assert rights == [landlock.READ_FILE, landlock.READ]
