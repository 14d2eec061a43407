"""The command line: arguments in, exit codes out. One file for each command."""

from .main import main

__all__ = ["main"]
