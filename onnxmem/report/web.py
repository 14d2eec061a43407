"""What all pages share: templates, scripts, styles, and the policy that admits these alone.

A page carries the Vega runtime, the charts' specifications and their rows. A content security
policy admits the page's own scripts and styles by their hashes and nothing else; Vega therefore
runs with its expression interpreter.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib import metadata
from typing import Any

import jinja2
from markupsafe import Markup

from onnxmem.cache import lenient_store
from onnxmem.findings import waivers_told
from onnxmem.records import SATURATION
from onnxmem.report import words
from onnxmem.report.vega import Chart
from onnxmem.text import capitalized, printable

VALUE_LENGTH = 400
_SCRIPT_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def spec(chart: Chart) -> dict[str, Any]:
    """Return a chart's specification, as wide as its container."""
    whole = chart.properties(width="container").to_dict()
    return whole | {"autosize": {"type": "fit-x", "contains": "padding"}}


def flat(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield names and values of nested settings, made harmless."""
    for key, value in values.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            yield from flat(value, f"{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield printable(name), printable(text, VALUE_LENGTH)


def embedded(value: Any) -> Markup:
    """Return JSON that is harmless inside a script element."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_SCRIPT_ESCAPES))


def policy(scripts: Sequence[str], style: str) -> str:
    """Return what a page admits: these scripts, this style, pictures that it holds itself."""
    hashes = " ".join(map(_hash, scripts))
    return (
        f"default-src 'none'; script-src {hashes}; style-src {_hash(style)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode("utf-8")).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


@functools.cache
def runtime() -> str:
    """Return the Vega runtime as one script, from the cache where it was made before."""
    known = repr(("Vega runtime", _EMBED, _CLOSING, metadata.version("vl-convert-python")))
    key, store = hashlib.sha256(known.encode()).hexdigest(), lenient_store()
    found = store.get(key)
    if found is not None:
        return found.decode("utf-8")
    script = _bundle()
    store.put(key, script.encode("utf-8"))
    return script


_EMBED = "window.vegaEmbed = vegaEmbed;"
_CLOSING = (("</script", "<\\/script"), ("<!--", "<\\!--"))


def _bundle() -> str:
    import vl_convert

    script: str = vl_convert.javascript_bundle(_EMBED)
    for closing, harmless in _CLOSING:
        script = script.replace(closing, harmless)
    return script


@functools.cache
def source(name: str) -> str:
    """Return the text of a script, a style or a template."""
    loader = environment().loader
    assert loader is not None
    return loader.get_source(environment(), name)[0].replace("\r\n", "\n")


@functools.cache
def environment() -> jinja2.Environment:
    """Return the templates, in which all text is escaped."""
    found = jinja2.Environment(
        loader=jinja2.PackageLoader("onnxmem.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    found.filters.update(
        capitalized=capitalized,
        printable=printable,
        tensor_name=words.tensor_name,
        shape=words.shape,
        number=words.number,
        key_title=words.key_title,
        compressor_of=words.compressor_of,
        score_layers=words.score_layers,
        relative=words.relative,
        state=words.state,
        gate_numbers=words.gate_numbers,
        gate_state=words.gate_state,
    )
    found.globals.update(
        interval=words.interval,
        waivers_told=waivers_told,
        column_title=words.column_title,
        compressors=words.COMPRESSORS,
        batches=words.BATCHES,
        saturation=SATURATION,
    )
    return found
