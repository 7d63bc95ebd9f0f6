"""The command `genre-lib`: songs, train, evaluate, predict, study, synth, doctor. Chapter 8."""

from __future__ import annotations

import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from genre_lib.errors import GenreLibError

STOPPED = "genre-lib: stopped."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return the exit status, which is 2 if the user can fix the problem."""
    if sys.stderr is None:  # closed, as by 2>&-
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115
    if sys.stdout is None:
        print("genre-lib: Standard output is closed: send it to a file.", file=sys.stderr)
        return 2
    warnings.showwarning = lambda message, *_: print(f"Note: {message}", file=sys.stderr)
    if hasattr(sys.stdout, "reconfigure"):  # print "?" for characters it can't encode
        sys.stdout.reconfigure(errors="replace")
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()
    except GenreLibError as error:
        print(f"genre-lib: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `genre-lib … | head`: the reader has closed the pipe
        _discard_output()
        return 1
    except OSError as error:
        if error.filename is not None:  # not the output's
            reason = error.strerror or error
            print(
                f"genre-lib: {error.filename} can't be used ({reason}): check the path and its "
                "permissions.",
                file=sys.stderr,
            )
            return 2
        _discard_output()
        reason = error.strerror or error
        print(f"genre-lib: The output can't be written ({reason}).", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return 130


def _run(arguments: Sequence[str] | None) -> int:
    with _stopped_at_once():
        from genre_lib.cli.arguments import parser

        options = parser().parse_args(arguments)
        # Imported here, so that help and messages about options don't wait for torch.
        from genre_lib.cli.commands import COMMANDS
    return COMMANDS[options.command](options)


@contextmanager
def _stopped_at_once() -> Iterator[None]:
    """Let Ctrl-C end the process: an import that it interrupts may raise any error."""

    def stop(*_: object) -> None:
        os.write(2, f"{STOPPED}\n".encode())
        os._exit(130)

    try:
        before = signal.signal(signal.SIGINT, stop)
    except ValueError:  # not the main thread, which alone gets signals
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _discard_output() -> None:
    """Discard what couldn't be written, or Python would try again at exit and fail."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
