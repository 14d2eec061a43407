"""`onnxmem doctor`: what is installed, what works, and the line that mends the rest."""

from __future__ import annotations

import click

from onnxmem import report as formats

from .declared import json_option, quiet_option, verbose_option


@click.command("doctor")
@json_option
@quiet_option
@verbose_option
def command(json_path: str | None, quiet: bool) -> int:
    """Explain this environment: versions, providers, devices, and what is missing.

    Exits with 0 if an audit can run here, and with 4 if it cannot.
    """
    from onnxmem.doctor import diagnose

    diagnosis = diagnose()
    if json_path is not None:
        formats.write(diagnosis.to_json(), json_path)
    if not quiet and json_path != "-":
        from .console import show
        from .tables import diagnosis_table

        show(diagnosis_table(diagnosis))
    return 0 if diagnosis.usable else 4
