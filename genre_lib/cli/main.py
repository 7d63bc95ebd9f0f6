"""The command `genre-lib`: songs, train, evaluate, predict, study, synth, doctor. Chapter 8."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Sequence

from genre_lib.cli.arguments import parser
from genre_lib.errors import GenreLibError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status, which is 2 if the user can fix the problem."""
    warnings.showwarning = lambda message, *_: print(f"Note: {message}", file=sys.stderr)
    if hasattr(sys.stdout, "reconfigure"):  # print "?" for characters that the terminal lacks
        sys.stdout.reconfigure(errors="replace")
    options = parser().parse_args(arguments)
    try:
        # Imported here, so that help and messages about options don't wait for torch.
        from genre_lib.cli.commands import COMMANDS

        status = COMMANDS[options.command](options)
        sys.stdout.flush()
        return status
    except GenreLibError as error:
        print(f"genre-lib: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `genre-lib … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        print("genre-lib: stopped.", file=sys.stderr)
        return 130
