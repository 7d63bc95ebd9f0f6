"""What runs inside a sandbox: the notebook's cells, then calls of what they have defined.

Nothing in here is trusted afterwards: a student's code may change any of it. It holds no test, no
answer and no points.
"""

from __future__ import annotations

import os
import resource
import sys
import types
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from course_tools.grading.wire import decode, encode


class _Silent:
    """In place of otter's Notebook, so that a student's checks do nothing here."""

    def __init__(self, *_: Any, **__: Any):
        pass

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


def run_cells(shell: InteractiveShell, cells: list[str]) -> list[int]:
    """Run cells in order, whatever happens in one; the numbers of those that raised."""
    return [i for i, cell in enumerate(cells) if not shell.run_cell(cell).success]


def serve(requests: Any, answers: Any) -> None:
    """Answer requests until there are no more."""
    sys.modules["otter"] = types.SimpleNamespace(Notebook=_Silent)  # type: ignore[assignment]
    shell = InteractiveShell.instance()
    held: list[Any] = []

    def hold(value: Any) -> int:
        held.append(value)
        return len(held) - 1

    def do(kind: str, *given: Any) -> Any:
        if kind == "run":
            return run_cells(shell, given[0])
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
        except BaseException as error:
            answer = encode(("raised", f"{type(error).__name__}: {error}"[:1000]), hold)
        answers.write(answer)
        answers.flush()


def main() -> None:
    """Requests come from standard input, answers go to standard output, prints to standard error.

    The first two are moved away, so that a notebook that reads or prints does not meet them. An
    argument limits processes and threads, which the kernel counts for each sandbox, except root's.
    """
    if sys.argv[1:]:
        resource.setrlimit(resource.RLIMIT_NPROC, (int(sys.argv[1]),) * 2)
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    serve(requests, answers)


if __name__ == "__main__":
    main()
