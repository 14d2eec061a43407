"""The figures of the paper, drawn anew from networks that are at hand, each with its judgement.

registry          every figure by its name; what each claims and how it is judged stands with it
figure            what a figure is, and what comes of drawing it
subjects          the networks that it is drawn of: shipped ones, or files with their data
bench             measures them: audits, answers, supports, courses of training
statistics        correlations
charts            the few kinds of charts
page              SVG, PNG or HTML

support, depth, generalization, stopping, removal, errors
                  the figures themselves

Source: Collins, Bigdeli, Süsstrunk (arXiv:1810.03372). Its claims are taken from the text; layouts
are ours.
"""

from onnxmem.figures.bench import Bench
from onnxmem.figures.figure import Drawn, Figure
from onnxmem.figures.page import ENDINGS, kind_of, render
from onnxmem.figures.registry import FIGURES, figure
from onnxmem.figures.subjects import Subject, given, shipped

__all__ = [
    "Bench",
    "Drawn",
    "ENDINGS",
    "FIGURES",
    "Figure",
    "Subject",
    "figure",
    "given",
    "kind_of",
    "render",
    "shipped",
]
