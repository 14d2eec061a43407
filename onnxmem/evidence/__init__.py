"""What the neighbours of its training samples tell of a network: one file for each measure.

    facts             what every measure is told: labels, predictions, votes of neighbours
    gather            gets the facts: features of all samples at all layers, neighbours, votes
    votes             what the neighbours of a sample say of its class
    memorization, label_noise, held_out
                      numbers of the network
    layers            where neighbours come to agree with labels; depths
    samples           numbers of each sample

A new measure of the network is a function of the facts in a file of its own, a field of
`onnxmem.records.NetworkEvidence`, and a line in `MEASURES`.

Sources: Cohen, Sapiro & Giryes (2018); Storey (2002); Baldock et al. (2021).
"""

from onnxmem.evidence.facts import Facts
from onnxmem.evidence.measures import MEASURES, measure

__all__ = ["MEASURES", "Facts", "measure"]
