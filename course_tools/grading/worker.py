"""What runs inside a sandbox: the notebook's cells, then calls of what they have defined.

Nothing in here is trusted afterwards: a student's code may change any of it. It holds no test, no
answer and no points.
"""

from __future__ import annotations

import ast
import os
import sys
import traceback
import types
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from course_tools.grading.observe import run_observed
from course_tools.grading.wire import WireError, decode, encode

LONGEST = 500  # characters of an error's message
INDESCRIBABLE = "an error that can't be described"
# Of a notebook's front end, which is not here; a cell that begins with one should run all the same.
NOTEBOOK_MAGICS = ("matplotlib", "pylab", "autosave", "gui", "connect_info", "qtconsole")


class _Silent:
    """In place of otter's Notebook, so that a student's checks do nothing here."""

    def __init__(self, *_: Any, **__: Any):
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def run_cells(shell: InteractiveShell, cells: list[str]) -> list[tuple[int, str]]:
    """Run cells in order, whatever happens in one; position and error of each that raised."""
    failed = []
    for i, cell in enumerate(cells):
        try:
            done = shell.run_cell(cell)
            if error := done.error_before_exec or done.error_in_exec:
                failed.append((i, _described(error, cell)))
        except BaseException:  # an error of the student's own that raises when it is shown
            failed.append((i, INDESCRIBABLE))
    return failed


def _described(error: BaseException, cell: str) -> str:
    """An error in one line, with the line of the cell where it came up."""
    if isinstance(error, SyntaxError) and error.msg == "incomplete input":
        try:  # IPython would wait for more; Python says what is open
            ast.parse(cell)
        except SyntaxError as exact:
            error = exact
    line = error.lineno if isinstance(error, SyntaxError) else None
    for frame in traceback.extract_tb(error.__traceback__):
        if "ipython-input" in frame.filename or "ipykernel" in frame.filename:
            line = frame.lineno
    where = f" (line {line})" if line else ""
    return _named(error).replace("\n", " ") + where


def _named(error: BaseException) -> str:
    """Kind and message of an error; a class of a student's own may be unable to say either."""
    try:
        said = error.msg if isinstance(error, SyntaxError) else str(error)
        return f"{type(error).__name__}: {said}"[:LONGEST]
    except BaseException:
        return INDESCRIBABLE


def serve(requests: Any, answers: Any) -> None:
    """Answer requests until there are no more."""
    sys.modules["otter"] = types.SimpleNamespace(Notebook=_Silent)  # type: ignore[assignment]
    shell = InteractiveShell.instance()
    for name in NOTEBOOK_MAGICS:
        shell.register_magic_function(lambda _: None, "line", name)
    held: list[Any] = []

    def hold(value: Any) -> int:
        held.append(value)
        return len(held) - 1

    def do(kind: str, *given: Any) -> Any:
        if kind == "run":
            return run_cells(shell, given[0])
        if kind == "observe":
            return run_observed(shell.run_cell, *given)
        if kind == "names":
            return [name for name in given[0] if name in shell.user_ns]
        if kind == "get":
            return shell.user_ns[given[0]]
        if kind == "attribute":
            return getattr(given[0], given[1])
        function, positional, named = given
        return function(*positional, **named)

    while True:
        try:
            request = decode(requests, lambda number: held[number])
        except EOFError:
            return
        try:
            answer = encode(("fine", do(*request)), hold)
        except (WireError, RecursionError) as error:
            answer = encode(("unsendable", _named(error)), hold)
        except BaseException as error:
            answer = encode(("raised", _named(error)), hold)
        answers.write(answer)
        answers.flush()


def main() -> None:
    """Requests come from standard input, answers go to standard output, prints to standard error.

    The first two are moved away, so that a notebook that reads or prints does not meet them.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    serve(requests, answers)


if __name__ == "__main__":
    main()
