"""Writing is all or nothing, and every failure is one line."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from onnxmem.errors import OutputError
from onnxmem.report import check_writable, write, write_all

posix = pytest.mark.skipif(os.name != "posix", reason="needs POSIX files")


def test_a_file_is_written_and_nothing_else_is_left(tmp_path: Path) -> None:
    write("é\n", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == "é\n".encode()
    assert os.listdir(tmp_path) == ["a.txt"]


def test_bytes_are_written_as_they_are(tmp_path: Path) -> None:
    write(b"\x89PNG\r\n", tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"\x89PNG\r\n"


def test_a_failure_leaves_the_older_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"cannot write .*a\.txt: No space left on device"):
        write("new", path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("last", ["no/such/b.txt", "/dev/full"])
def test_files_that_belong_together_appear_together_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.txt").write_text("old")
    with pytest.raises(OutputError, match="cannot write"):
        write_all({"a.txt": "new", "c.txt": "new", last: "new"})
    assert Path("a.txt").read_text() == "old"
    assert os.listdir() == ["a.txt"]
    write_all({"a.txt": "new", "c.txt": "newer"})
    assert (Path("a.txt").read_text(), Path("c.txt").read_text()) == ("new", "newer")


@posix
def test_a_file_of_another_user_in_a_shared_folder_is_known_before_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "b.txt").write_text("theirs")
    check_writable(tmp_path / "b.txt")
    monkeypatch.setattr(os, "geteuid", lambda: tmp_path.stat().st_uid + 1)
    check_writable(tmp_path / "b.txt")
    tmp_path.chmod(0o1777)
    with pytest.raises(OutputError, match=r"b\.txt: Operation not permitted"):
        check_writable(tmp_path / "b.txt")
    with pytest.raises(OutputError):
        write_all({str(tmp_path / name): "ours" for name in ("a.txt", "b.txt")})
    assert os.listdir(tmp_path) == ["b.txt"]
    write("ours", tmp_path / "a.txt")


@pytest.mark.parametrize("act", [check_writable, lambda path: write("x", path)])
@pytest.mark.parametrize(
    ("name", "cause"),
    [
        ("no/such/a.txt", os.strerror(errno.ENOENT)),
        ("folder", "folder"),
        ("file/a.txt", os.strerror(errno.ENOTDIR)),
        ("nul\0.txt", "nul\\x00.txt"),
        ("new\nline/a.txt", os.strerror(errno.ENOENT)),
    ],
)
def test_where_nothing_can_be_written_the_error_is_one_line(
    act: object, name: str, cause: str, tmp_path: Path
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="cannot write") as caught:
        act(tmp_path / name)  # type: ignore[operator]
    assert cause in str(caught.value) and "\n" not in str(caught.value)
    assert str(caught.value).count("cannot write") == 1
    assert caught.value.exit_code == 2
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]


def test_checking_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("old")
    check_writable(tmp_path / "new.txt")
    check_writable(tmp_path / "old.txt")
    check_writable("-")
    assert os.listdir(tmp_path) == ["old.txt"]
    assert (tmp_path / "old.txt").read_text() == "old"


def test_a_dash_is_stdout(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    write("é\n", "-")
    write(b"\xff", "-")
    sys.stdout.flush()
    assert capfdbinary.readouterr().out == "é\n".encode() + b"\xff"


@posix
def test_rights_are_kept_and_new_files_follow_the_mask(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.touch()
    old.chmod(0o640)
    write("x", old)
    plain = tmp_path / "plain"
    plain.touch()
    write("x", tmp_path / "new")
    modes = [stat.S_IMODE((tmp_path / n).stat().st_mode) for n in ("old", "plain", "new")]
    assert modes[0] == 0o640
    assert modes[1] == modes[2]


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write("new", tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


@posix
def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write("through", pipe)
    reader.join(10)
    assert read == ["through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@posix
def test_a_device_is_not_replaced() -> None:
    write("x", "/dev/null")
    check_writable("/dev/null")
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


@posix
@pytest.mark.parametrize("path", ["/proc/report.json", "/dev/full/report.json"])
def test_a_folder_that_takes_no_file_is_named(path: str) -> None:
    for act in (check_writable, lambda path: write("x", path)):
        with pytest.raises(OutputError, match=f"cannot write {path}"):
            act(path)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_device_is_an_error_of_the_output() -> None:
    with pytest.raises(OutputError, match="cannot write /dev/full: No space left"):
        write("x", "/dev/full")


@posix
def test_a_disk_that_fills_up_while_writing_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    script = (
        "import resource, signal, sys; from onnxmem.report import write\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "write('x' * 5000, sys.argv[1])"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True)
    assert "OutputError: cannot write" in done.stderr
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


@posix
def test_check_leaves_the_reader_of_a_pipe_alone(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    check_writable(pipe)
    write("text", pipe)
    assert os.read(reader, 100) == b"text"
    os.close(reader)


def test_a_closed_stdout_is_an_error_of_the_output(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match="cannot write stdout: it is closed"):
        write("x", "-")


@pytest.mark.skipif(not Path("/dev/fd").exists(), reason="needs /dev/fd")
def test_a_pipe_without_a_name_is_written_to() -> None:
    reading, writing = os.pipe()
    check_writable(f"/dev/fd/{writing}")
    write("through", f"/dev/fd/{writing}")
    os.close(writing)
    with open(reading, encoding="utf-8") as stream:
        assert stream.read() == "through"
