"""Which files a process needs that asks a network: Python, libraries, devices, caches."""

from __future__ import annotations

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from onnxmem.cache import lenient_store
from onnxmem.links import are_trusted
from onnxmem.sandbox.landlock import Rules

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/opt", "/etc"),
    *("/nix/store", "/gnu/store", "/run/opengl-driver", "/run/current-system"),
    *("/var/cache/fontconfig", "/var/lib/fonts"),
)
"""Where systems keep programs, libraries and fonts."""

_KERNEL = ("/proc", "/sys")
_FONTS = ("~/.fonts", "~/.local/share/fonts", "~/.config/fontconfig", "~/.cache/fontconfig")
_DEVICES = (
    *("/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty"),
    *("/dev/dri", "/dev/dxg", "/proc/self/task"),
)
_GPUS = "/dev/nvidia*"
_SHARED = "/dev/shm"
_CUDA_CACHES = (("CUDA_CACHE_PATH", "~/.nv"), ("CUPY_CACHE_DIR", "~/.cupy"))
_COMPILED = Path("factorize") / "compiled" / "__pycache__"
"""Where Numba keeps what it compiles of this package; a look, since asking would import it."""

_NUMBA_CACHE = "NUMBA_CACHE_DIR"
_FOLDERS = ("LD_LIBRARY_PATH", "CUDA_PATH", "CUDA_HOME", "PYTHONPATH")
"""Variables of the environment that name folders of libraries."""

_MOST_LINKS = 100_000
_MOST_ENTRIES = 1_000_000


def rules(reads: Iterable[str], writes: Iterable[str], *, network: bool = False) -> Rules:
    """Return what a process may use that reads and writes these files besides its own."""
    return Rules(
        read=(*_KERNEL, *map(os.path.expanduser, _FONTS), *reads),
        run=(*_SYSTEM, *_python()),
        write=(*writes, *_caches(), _SHARED),
        devices=(*_DEVICES, *glob.glob(_GPUS)),
        network=network,
    )


def of_model(path: str, *, trust: bool = False) -> tuple[str, ...]:
    """Return what a model is read from: its folder, and that of the file it is a link to.

    Of the root and of a user's home, only what weights may be in. Where links are trusted, what
    those in its folder lead to as well, and what vouches for links without that.
    """
    real = os.path.realpath(path)
    folders = dict.fromkeys((os.path.dirname(os.path.abspath(path)), os.path.dirname(real)))
    opened = [one for folder in folders for one in (*_beside(folder), *_vouching(folder))]
    if trust or are_trusted():
        opened += [one for folder in folders for one in _linked(folder)]
    return *opened, real


def _vouching(folder: str) -> Iterator[str]:
    """Yield what tells that links are good: records of packages, blobs of Hugging Face's hub."""
    for one in Path(folder).parents:
        if one.name in ("site-packages", "dist-packages") or (one / "conda-meta").is_dir():
            yield str(one)
        if (one / "snapshots").is_dir() and (one / "blobs").is_dir():
            yield str(one / "blobs")


def _beside(folder: str) -> Iterator[str]:
    is_root, home = folder == os.path.dirname(folder), os.path.realpath(os.path.expanduser("~"))
    if not is_root and os.path.realpath(folder) != home:
        yield folder
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if not entry.name.startswith(".") and (entry.is_file() or not is_root):
                yield entry.path


def of_data(path: str) -> tuple[str, ...]:
    """Return what data are read from: a file, or a folder with all that links in it lead to."""
    real = os.path.realpath(path)
    return real, *(_linked(real) if os.path.isdir(real) else ())


def size(paths: Iterable[str]) -> int:
    """Return the bytes of files, and of what lies beside models in their folders but models."""
    return sum(_bytes(path) for path in set(paths))


def _bytes(path: str) -> int:
    try:
        if not os.path.isdir(path):
            return os.path.getsize(path)
        with os.scandir(path) as entries:
            files = [one for one in entries if one.is_file() and not one.name.endswith(".onnx")]
            return sum(one.stat().st_size for one in files)
    except OSError:
        return 0


def of_output(path: str) -> tuple[str, ...]:
    """Return what an output needs: the folder that it is made in, or the pipe or device it is.

    Nothing where there is no such folder: the command says so.
    """
    real = os.path.realpath(path)
    if os.path.exists(real) and not os.path.isfile(real) and not os.path.isdir(real):
        return (real,)
    folder = os.path.dirname(real)
    return (folder,) if os.path.isdir(folder) else ()


def _linked(folder: str) -> Iterator[str]:
    """Yield where symbolic links in a folder lead, as those of data that lie elsewhere do."""
    waiting, links, entries = [folder], 0, 0
    while waiting and links < _MOST_LINKS and entries < _MOST_ENTRIES:
        try:
            found = list(os.scandir(waiting.pop()))
        except OSError:
            continue
        entries += len(found)
        for entry in found:
            if entry.is_symlink():
                links += 1
                yield os.path.realpath(entry.path)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)


def _python() -> Iterator[str]:
    """Yield where Python imports from, this package and packages that are being edited too."""
    yield from (sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    yield os.path.dirname(os.path.realpath(sys.executable))
    yield from (entry for entry in sys.path if entry not in ("", os.getcwd()))
    for name in ("onnxmem", "onnxmem.cli", "onnxmem.models"):
        spec = find_spec(name)
        yield from () if spec is None else spec.submodule_search_locations or ()
    for name, module in list(sys.modules.items()):
        if name.startswith("__editable___"):
            yield from map(str, getattr(module, "MAPPING", {}).values())
    for variable in _FOLDERS:
        yield from filter(None, os.environ.get(variable, "").split(os.pathsep))


def _caches() -> Iterator[str]:
    """Yield where results and compiled kernels are kept; the folder of results is made."""
    store = lenient_store()
    if store.limit and not store.trouble:
        yield _made(store.folder)
    yield _made(Path(__file__).parents[1] / _COMPILED)
    if chosen := os.environ.get(_NUMBA_CACHE):
        yield _made(Path(chosen))
    for variable, usual in _CUDA_CACHES:
        place = Path(os.environ.get(variable) or os.path.expanduser(usual))
        yield _made(place) if glob.glob(_GPUS) else str(place)


def _made(folder: Path) -> str:
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return str(folder)
