"""The `onnxmem` command: finds the command, and turns every error into one line and a code."""

from __future__ import annotations

import difflib
import importlib
import io
import re
import sys
import warnings
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from onnxmem._version import __version__
from onnxmem.errors import OnnxmemError, UsageError
from onnxmem.text import printable

from . import config
from .examples import epilog
from .signals import Interrupted, terminable, unspoken
from .streams import let_go, tell, write_out

if TYPE_CHECKING:
    from onnxmem.records import Comparison, Report, Waiver

COMMANDS = {
    "audit": "Score every layer of a model by its activations.",
    "cache": "Show where results are kept, or empty it.",
    "compare": "Compare models, or reports that audits left.",
    "demo": "Audit two networks that ship with the tool.",
    "doctor": "Explain this environment: what works, what is missing.",
    "expose": "Add every activation to the outputs of a model.",
    "figure": "Draw a figure of the paper, and judge its claim.",
    "inspect": "Show every activation of a model, and what a cut there needs.",
    "locate": "Tell in which layers a model memorized samples.",
    "report": "Write a report in other formats, or show its table.",
    "samples": "Tell which training samples a model memorized.",
    "split": "Cut a model in two.",
    "survey": "Audit many models, each by itself.",
    "track": "Tell which checkpoint of a course to keep.",
}
"""What each command does, in short."""

INTERRUPTED = 130
MESSAGE_LENGTH = 1000


@dataclass
class Run:
    """What is known before a command starts: whether to trace errors, and what a file sets.

    `alone` tells that this process is there for the command alone, so that it may fork.
    """

    verbose: bool = False
    alone: bool = False
    config: config.Config = field(default_factory=config.Config)


class Commands(click.Group):
    """Imports a command when it is called, and none to list them, so that `--help` is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f".{cmd_name}_command", __package__).command
        assert isinstance(command, click.Command)
        command.epilog = epilog(cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first argument names.

        Raises:
            UsageError: there is none; the message says which one may be meant.
        """
        name = args[0]
        if name in COMMANDS or name.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        raise UsageError(f"there is no command {name!r}; {_meant(name)}")

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        """Read the arguments; see `unspoken`."""
        with unspoken():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; see `unspoken`."""
        with unspoken():
            return super().invoke(ctx)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _meant(name: str) -> str:
    """Return which command may be meant by a name that none has."""
    if name.lower().endswith(".onnx"):
        return f"did you mean 'onnxmem audit {name} --data DATA'?"
    near = difflib.get_close_matches(name.lower(), COMMANDS, 1)
    return f"did you mean {near[0]!r}?" if near else f"there are {', '.join(COMMANDS)}"


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="onnxmem")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Did this ONNX network learn or memorize?

    Scores every layer of a network by how much of its activations can be
    compressed away before accuracy goes.
    """
    if ctx.invoked_subcommand in config.CONFIGURABLE:
        found = config.find(ctx)
        ctx.default_map = dict(found.defaults)
        run = ctx.ensure_object(Run)
        run.verbose |= found.verbose
        run.config = found


def main(arguments: Sequence[str] | None = None, *, alone: bool | None = None) -> None:
    """Run the command line and exit with the code of the contract: 0 to 4, 130 if interrupted.

    Args:
        arguments: None: those of this process.
        alone: whether this process is there for the command alone, which may fork it then; None:
            where the arguments are its own.
    """
    alone = arguments is None if alone is None else alone
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    arguments = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    verbose = any(a == "--verbose" or re.fullmatch("-q*v[qv]*", a) for a in arguments)
    with terminable(), warnings.catch_warnings():
        if not verbose:
            warnings.simplefilter("ignore")
        code = _run(arguments, Run(verbose, alone))
        let_go()
    sys.exit(code)


def _run(arguments: Sequence[str], run: Run) -> int:
    try:
        result = cli.main(list(arguments), "onnxmem", standalone_mode=False, obj=run)
        write_out()
    except SystemExit:  # by click, where nobody reads the help that it writes
        return 0
    except OnnxmemError as error:
        return _fail(error, str(error), error.exit_code, run.verbose)
    except click.ClickException as error:
        return _fail(error, error.format_message(), 2, run.verbose)
    except (KeyboardInterrupt, Interrupted, click.Abort):
        tell("onnxmem: interrupted; no output was written")
        return INTERRUPTED
    except OSError as error:
        return _fail(error, f"cannot read or write: {error}", 2, run.verbose)
    except MemoryError as error:
        return _fail(error, "out of memory; use a smaller --per-class or --memory", 4, run.verbose)
    except Exception as error:  # noqa: BLE001 - the last resort, so that no traceback reaches users
        cause = f"internal error ({type(error).__name__}: {error}); run again with -v and report it"
        return _fail(error, cause, 4, run.verbose)
    return result if isinstance(result, int) else 0


def _fail(error: BaseException, message: str, code: int, verbose: bool) -> int:
    if verbose:
        import traceback

        tell("".join(traceback.format_exception(error)).rstrip())
    line = printable(" ".join(message.split()), MESSAGE_LENGTH)
    tell(f"onnxmem: error: {line}")
    return code


def say_settings(*, quiet: bool, used: AbstractSet[str] | None = None) -> None:
    """Say on stderr which settings of a configuration file are in force, if any.

    `used` names the options that play a part, None: all of them.
    """
    ctx = click.get_current_context()
    run = ctx.find_object(Run)
    if run is None or quiet:
        return
    values = {
        key: value for key, value in run.config.in_force(ctx).items() if used is None or key in used
    }
    if values:
        shown = ", ".join(config.assignment(key, value) for key, value in values.items())
        line = f"settings from {run.config.path}: {shown}"
        tell(f"onnxmem: {printable(line, MESSAGE_LENGTH)}")


def waivers() -> tuple[Waiver, ...]:
    """Return the waivers of the configuration file that counts here."""
    run = click.get_current_context().find_object(Run)
    return () if run is None else run.config.waivers


def exit_code(report: Report | Comparison, *, exit_zero: bool) -> int:
    """Return the code of one report or several; `exit_zero` forgives a failed gate alone."""
    return 0 if exit_zero and report.exit_code == 1 else report.exit_code
