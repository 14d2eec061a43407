"""Surveys under blows: killed workers, a lost scheduler, a shared cache, a full disk, no locks.

    python -m benchmarks.survey_proofs [--models 100] [--kills 20] [--only NAME ...] [--write FILE]

A zoo of small models (`survey_zoo`) is surveyed one by one; every other way must end in the same
reports, times apart, and no layer that lay in the cache may be measured again, as `survey_watch`
counts. Needs `onnxmem[dask]`, Linux, and for the full disk the right to mount.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from benchmarks.survey_zoo import QUICK, make_zoo

WATCH = Path(__file__).parent / "survey_watch"


class Trial:
    """One way to survey the zoo, with a cache, a log and an output of its own."""

    def __init__(self, folder: Path, zoo: Path, name: str, **environment: str) -> None:
        self.folder, self.zoo, self.out = folder / name, zoo, folder / name / "out"
        self.folder.mkdir()
        self.environment = {
            **os.environ,
            "ONNXMEM_CACHE_DIR": str(self.folder / "cache"),
            "ONNXMEM_WATCH": str(self.folder / "watch"),
            "ONNXMEM_NO_PAGES": "1",
            "ONNXMEM_ZYGOTE": str(folder / "zygote"),
            "PYTHONPATH": str(WATCH),
            **environment,
        }

    def start(self, *options: str, out: Path | None = None) -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "onnxmem", "survey", str(self.zoo), "--no-sandbox"]
        return subprocess.Popen(
            [*command, "--out", str(out or self.out), *QUICK, *options],
            env=self.environment,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *options: str) -> tuple[int, str]:
        """Survey to the end; return the exit code and what was said."""
        process = self.start(*options)
        said = process.communicate()[1]
        return process.returncode, said

    def numbers(self, out: Path | None = None) -> dict[str, str]:
        """Return each report as text, without times."""
        return {path.stem: _timeless(path) for path in sorted((out or self.out).glob("m*.json"))}

    def counted(self) -> tuple[int, int, int]:
        """Return how many layers were begun, how many again, how many after they were kept."""
        begun: Counter[str] = Counter()
        kept: set[str] = set()
        wasted = 0
        for line in (self.folder / "watch").read_text().splitlines():
            word, _, layer = line.partition(" ")
            if word == "kept":
                kept.add(layer)
            else:
                begun[layer] += 1
                wasted += layer in kept
        return begun.total(), sum(count - 1 for count in begun.values()), wasted


def _timeless(path: Path) -> str:
    values = json.loads(path.read_text())
    values.pop("timings")
    return json.dumps(values, sort_keys=True)


class Killer:
    """Kills one of some processes now and then, until it has killed enough."""

    def __init__(self, kills: int, seconds: float, seed: int = 0) -> None:
        self.left, self.done, self.seconds = kills, 0, seconds
        self.rng = random.Random(seed)

    def during(self, process: subprocess.Popen[str], targets: Callable[[], list[Any]]) -> str:
        """Kill until `process` has ended; return what it said."""
        while process.poll() is None:
            time.sleep(self.rng.uniform(0.2, 2) * self.seconds)
            found = targets() if self.left else []
            if found and process.poll() is None:
                victim = self.rng.choice(found)
                try:
                    victim.kill()
                    self.left, self.done = self.left - 1, self.done + 1
                except psutil.NoSuchProcess:
                    pass
        return process.communicate()[1]


def children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children()
    except psutil.NoSuchProcess:
        return []


class Cluster:
    """A Dask scheduler and two workers, as processes of their own."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment = folder, environment
        self.address = ""
        self.scheduler: subprocess.Popen[bytes] | None = None
        self.nanny: subprocess.Popen[bytes] | None = None

    def _start(self, *words: str) -> subprocess.Popen[bytes]:
        log = (self.folder / f"{words[0]}.log").open("ab")
        command = [sys.executable, "-P", "-m", "distributed.cli.dask_" + words[0], *words[1:]]
        return subprocess.Popen(command, env=self.environment, stderr=log, stdout=log)

    def start(self) -> None:
        found = self.folder / "scheduler.json"
        found.unlink(missing_ok=True)
        port = self.address.rpartition(":")[2] or "0"
        self.scheduler = self._start(
            *("scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard"),
            *("--scheduler-file", str(found)),
        )
        while not found.exists():
            time.sleep(0.2)
        self.address = json.loads(found.read_text())["address"]
        self.nanny = self._start(
            *("worker", self.address, "--nworkers", "2", "--nthreads", "1", "--no-dashboard"),
            *("--local-directory", str(self.folder)),
        )

    def workers(self) -> list[psutil.Process]:
        """Return the processes that run a task now; the nanny starts each anew when it dies.

        One that is killed while it starts takes its nanny along.
        """
        assert self.nanny is not None
        found = []
        for process in children(self.nanny.pid):
            try:
                if "spawn_main" in " ".join(process.cmdline()) and process.children():
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def stop(self) -> None:
        for process in (self.nanny, self.scheduler):
            if process is not None:
                for child in children(process.pid):
                    child.kill()
                process.kill()
                process.wait()


def start_zygote(path: Path) -> subprocess.Popen[bytes]:
    """Start what forks the children of all surveys; see `survey_watch.zygote`."""
    environment = os.environ | {"PYTHONPATH": str(WATCH), "ONNXMEM_NO_PAGES": "1"}
    environment |= {"ONNXMEM_WATCH": "", "ONNXMEM_CACHE_DIR": "/nowhere"}
    command = [sys.executable, "-P", str(WATCH / "zygote.py"), "serve", str(path)]
    process = subprocess.Popen(command, env=environment)
    while not path.exists():
        time.sleep(0.2)
        assert process.poll() is None
    return process


@contextmanager
def cluster(folder: Path, environment: dict[str, str]) -> Iterator[Cluster]:
    made = Cluster(folder, environment)
    made.start()
    try:
        yield made
    finally:
        made.stop()


Line = Iterator[str]


class Proofs:
    """All trials, against the numbers of one by one."""

    def __init__(self, folder: Path, count: int, kills: int) -> None:
        self.folder, self.count, self.kills = folder, count, kills
        self.zoo = make_zoo(folder / "zoo", count)
        self.zygote = start_zygote(folder / "zygote")
        begin = time.monotonic()
        trial = Trial(folder, self.zoo, "one-by-one")
        code, said = trial.run()
        self.each = (time.monotonic() - begin) / count
        self.known = trial.numbers()
        assert code == 0, said
        assert len(self.known) == count
        print(f"one by one: {count} models, {self.each:.1f} s each", flush=True)

    def same(self, found: dict[str, str]) -> str:
        return "the same" if found == self.known else f"OTHER NUMBERS ({len(found)} reports)"

    def told(self, trial: Trial) -> str:
        begun, again, wasted = trial.counted()
        return f"{begun} layers begun, {again} of them again, {wasted} although they were kept"

    def two_workers(self) -> Line:
        trial = Trial(self.folder, self.zoo, "two-workers")
        code, _ = trial.run("--workers", "2")
        yield f"two workers: exit {code}, numbers {self.same(trial.numbers())}; {self.told(trial)}"

    def killed_workers(self) -> Line:
        trial = Trial(self.folder, self.zoo, "killed-workers")
        killer, runs, code = Killer(self.kills, self.each / 2), 0, -1
        while code and runs < 20:
            process = trial.start("--workers", "2")
            killer.during(process, lambda: children(self.zygote.pid))
            runs, code = runs + 1, process.returncode
        yield (
            f"two workers, {killer.done} kills of children, survey called {runs} times: exit "
            f"{code}, numbers {self.same(trial.numbers())}; {self.told(trial)}"
        )

    def dask(self) -> Line:
        trial = Trial(self.folder, self.zoo, "dask")
        with cluster(trial.folder, trial.environment) as made:
            code, _ = trial.run("--scheduler", made.address)
        yield f"Dask: exit {code}, numbers {self.same(trial.numbers())}; {self.told(trial)}"

    def killed_dask(self) -> Line:
        trial = Trial(self.folder, self.zoo, "killed-dask")
        killer, runs, code = Killer(self.kills, self.each / 2), 0, -1
        with cluster(trial.folder, trial.environment) as made:
            while code and runs < 20:
                process = trial.start("--scheduler", made.address)
                killer.during(process, made.workers)
                runs, code = runs + 1, process.returncode
        yield (
            f"Dask, {killer.done} kills of workers, survey called {runs} times: exit {code}, "
            f"numbers {self.same(trial.numbers())}; {self.told(trial)}"
        )

    def restarted_scheduler(self) -> Line:
        trial = Trial(self.folder, self.zoo, "restarted")
        with cluster(trial.folder, trial.environment) as made:
            process = trial.start("--scheduler", made.address)
            while len(list((trial.out / "records").glob("m*.json"))) < max(1, self.count // 4):
                time.sleep(0.5)
            begin = time.monotonic()
            made.stop()
            said = process.communicate()[1].strip().splitlines()
            took, first = time.monotonic() - begin, process.returncode
            made.start()
            code, _ = trial.run("--scheduler", made.address)
        yield (
            f"scheduler killed after {self.count // 4} models: exit {first} after {took:.0f} s, "
            f"{len(said)} lines, the last {said[-1] if said else ''!r}; again: exit {code}, "
            f"numbers {self.same(trial.numbers())}; {self.told(trial)}"
        )

    def shared_cache(self) -> Line:
        trial = Trial(self.folder, self.zoo, "shared")
        outs = [trial.folder / f"out{number}" for number in range(8)]
        running = [trial.start("--shard", "1/4", out=out) for out in outs]
        codes = {(process.communicate(), process.returncode)[1] for process in running}
        count = len(range(0, self.count, 4))
        same = all(
            len(found) == count and found.items() <= self.known.items()
            for found in map(trial.numbers, outs)
        )
        yield (
            f"8 surveys of {count} models at once on one cache: exits {sorted(codes)}, numbers "
            f"{'the same' if same else 'OTHERS'}; {trial.counted()[0]} layers begun by all"
        )

    def no_locks(self) -> Line:
        trial = Trial(self.folder, self.zoo, "no-locks", ONNXMEM_NO_LOCKS="1")
        code, _ = trial.run("--workers", "2")
        yield f"no locks: exit {code}, numbers {self.same(trial.numbers())}; {self.told(trial)}"

    def full_disk(self) -> Line:
        yield from self._full("output", "", "400k")
        yield from self._full("cache", "ONNXMEM_CACHE_DIR", "12k")
        yield from self._full("temporary folder", "TMPDIR", "64k")

    def _full(self, what: str, variable: str, size: str) -> Line:
        trial = Trial(self.folder, self.zoo, f"full-{what.partition(' ')[0]}")
        place = trial.folder / "small"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)]
        if subprocess.run(mount, capture_output=True).returncode:
            yield f"full {what}: not measured, nothing can be mounted here"
            return
        try:
            if variable:
                trial.environment[variable] = str(place / "used")
                (place / "used").mkdir()
            else:
                trial.out = place / "out"
                (place / "ballast").write_bytes(b"0" * (350 << 10))
            code, said = trial.run()
            odd = [p.name for p in place.rglob("*") if re.search(r"\.tmp|\.part", p.name)]
            broken = [p.name for p in trial.out.rglob("*.json") if not _is_json(p)]
            subprocess.run(["mount", "-o", "remount,size=64m", str(place)], check=True)
            again, _ = trial.run()
            lines = said.strip().splitlines()
            yield (
                f"full {what}: exit {code}, {len(lines)} lines, the last "
                f"{lines[-1] if lines else ''!r}; left half-written: {odd + broken or 'nothing'}; "
                f"with room again: exit {again}, numbers {self.same(trial.numbers())}; "
                f"{self.told(trial)}"
            )
        finally:
            subprocess.run(["umount", str(place)], check=False)


def _is_json(path: Path) -> bool:
    try:
        json.loads(path.read_text())
    except ValueError:
        return False
    return True


NAMES = (
    *("two_workers", "killed_workers", "dask", "killed_dask", "restarted_scheduler"),
    *("shared_cache", "no_locks", "full_disk"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=int, default=100)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--only", nargs="*", default=NAMES, choices=NAMES)
    parser.add_argument("--write", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="proofs-") as name:
        proofs = Proofs(Path(name), arguments.models, arguments.kills)
        try:
            for trial in arguments.only:
                for line in getattr(proofs, trial)():
                    print(f"- {line}", flush=True)
                    if arguments.write:
                        with arguments.write.open("a") as stream:
                            print(f"- {line}", file=stream)
        finally:
            proofs.zygote.kill()


if __name__ == "__main__":
    main()
