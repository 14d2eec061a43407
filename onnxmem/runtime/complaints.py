"""What onnxruntime says when something is wrong, in words for people."""

from __future__ import annotations

import re

from onnxmem.hazards import see

LONGEST = 500
"""Characters that are kept of one complaint."""

_MEMORY = re.compile(
    r"bad_alloc|out of memory|Failed to allocate memory|_ALLOC_FAILED", re.IGNORECASE
)
_STATUS = re.compile(r"\[ONNXRuntimeError\] : \d+ : \w+ : ")
_NODE = re.compile(
    r"Non-zero status code returned while running (\S+) node\. Name:'(.*?)' Status Message: "
)
_PLACE = re.compile(r"(?P<folder>\S*/)?\w+\.(?:cc|cpp|cu|cuh|h|hpp):\d+ ")
_PREFIX = re.compile(r"^(?:Exception during initialization: |This is an invalid model\. )+")

_ADVICE = (
    (
        r"IR version|[Oo]pset .*(?:under development|not supported|is till)|official released onnx",
        "install a newer onnxruntime, or export with an older opset",
    ),
    (
        r"No opset import|No Op registered|is not a registered|Fatal error: \S+ is not",
        "operators of your own are not supported; export with those of ONNX or onnxruntime",
    ),
    (
        r"Could not find an implementation|NOT_IMPLEMENTED",
        "onnxruntime cannot run this operator on these types; export with another opset or type",
    ),
    (
        r"External data|ExternalData|external (?:data )?file|external initializer",
        "put all files of the model back beside it, unchanged",
    ),
)


def is_of_memory(message: str) -> bool:
    """Tell whether memory has run out, that of the host or of the device."""
    return bool(_MEMORY.search(message))


def plain(message: str) -> str:
    """Return a complaint of onnxruntime's as one line, without the places in its own source.

    Advice follows where the cause is a known one.
    """
    text = " ".join(message.split())
    advice = next((words for pattern, words in _ADVICE if re.search(pattern, text)), None)
    text = _NODE.sub(r"\1 node '\2': ", _STATUS.sub("", text))
    text = _PREFIX.sub("", _STATUS.sub("", _without_places(text))).strip() or "no reason is given"
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 3]}..."
    return text if advice is None else f"{text.rstrip('.')}; {advice}{see('refused')}"


def _without_places(text: str) -> str:
    """Drop file, line and function: a signature after a path, one word after a bare file name."""
    kept, start = [], 0
    while place := _PLACE.search(text, start):
        before = text[start : place.start()]
        kept.append(before if before[-1:] in ("", " ") else f"{before} ")
        rest = place.end()
        start = _after_signature(text, rest) if place["folder"] else _after_word(text, rest)
    return "".join((*kept, text[start:]))


def _after_word(text: str, start: int) -> int:
    end = text.find(" ", start)
    return len(text) if end < 0 else end + 1


def _after_signature(text: str, start: int) -> int:
    """Return where a C++ signature at `start` ends, with its qualifiers."""
    opening = text.find("(", start)
    if opening < 0:
        return _after_word(text, start)
    end = _after_brackets(text, opening)
    while text[end : end + 1] == "(":
        end = _after_brackets(text, end)
    end += len(" const") if text.startswith(" const ", end) else 0
    if text.startswith(" [with ", end):
        end = _after_brackets(text, end + 1)
    return min(end + 1, len(text))


def _after_brackets(text: str, opening: int) -> int:
    """Return the place after the bracket that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(text)):
        depth += (text[place] in "([") - (text[place] in ")]")
        if depth == 0:
            return place + 1
    return len(text)
