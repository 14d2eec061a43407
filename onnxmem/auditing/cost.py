"""What an audit costs: the records of a plan."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

from onnxmem.text import json_text

SCHEMA = "onnxmem.plan/1"


@dataclass(frozen=True, slots=True)
class Cost:
    """Runs of one batch each, and what they take.

    Attributes:
        head_runs, tail_runs: of a batch through a part of the model, the whole of it among heads;
            several batches may go through a tail together.
        factorizations: matrices to which a compressor is fitted, at all levels at once.
        approximations: matrices that are made from factors, and compared.
        seconds: on this machine, with all workers.
    """

    head_runs: int = 0
    tail_runs: int = 0
    factorizations: int = 0
    approximations: int = 0
    seconds: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        mine, others = asdict(self), asdict(other)
        return Cost(**{name: mine[name] + others[name] for name in mine})


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """One layer; `reason` says why it will be skipped.

    Attributes:
        known: its curves are in the cache, so that it costs nothing.
        matrix: rows and features of the first batch's activation matrix.
        ranks: the ranks to choose from; none where no compressor has ranks.
        step: samples that run together.
        side_by_side: batches that are worked on at once.
        memory: bytes of activations and factors that are held at most.
        resident: bytes that the process holds besides, its sessions among them.
        least, expected, most: what it costs, with as many ranks as may be chosen.
    """

    tensor: str
    reason: str = ""
    known: bool = False
    matrix: tuple[int, int] | None = None
    ranks: tuple[float, ...] = ()
    step: int = 0
    side_by_side: int = 0
    memory: int = 0
    resident: int = 0
    least: Cost = field(default_factory=Cost)
    expected: Cost = field(default_factory=Cost)
    most: Cost = field(default_factory=Cost)


@dataclass(frozen=True, slots=True)
class Plan:
    """An audit before it starts.

    Attributes:
        samples, batches: that go through every cut; of all kinds together.
        workers: batches that run at once, at most.
        sessions: that onnxruntime will compile.
        peak_memory: bytes that the process will take at its peak, within a tenth or so.
        evidence: what the neighbours of all training samples cost.
        least, expected, most: what all of it costs: layers, neighbours, to open the model,
            untouched runs.
    """

    schema: str
    model: str
    device: str
    samples: int
    batches: int
    workers: int
    sessions: int
    peak_memory: int
    evidence: Cost
    least: Cost
    expected: Cost
    most: Cost
    layers: tuple[LayerPlan, ...]

    def to_json(self) -> str:
        """Return the plan as JSON text."""
        return json_text(asdict(self))
