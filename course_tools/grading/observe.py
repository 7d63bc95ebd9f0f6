"""Watch a notebook's own functions while they run: what kinds and shapes their variables have.

It runs inside the sandbox, beside a student's code, so what it reports may be wrong on purpose. Its
answers are plain data for JSON, capped in size, and their reader checks them again.
"""

from __future__ import annotations

import contextlib
import dis
import math
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

MOST_FUNCTIONS = 40
MOST_NAMES = 25
LARGEST_NUMBER = 1_000_000
RETURNS = frozenset(
    dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap
)


def from_a_cell(filename: str) -> bool:
    """Whether code comes from a notebook's cell, by the names that IPython and ipykernel give."""
    return filename.startswith("<ipython-input-") or "ipykernel_" in filename


def observe(call: Callable[[], Any], is_own: Callable[[str], bool] = from_a_cell) -> list[dict]:
    """Run `call`; what was seen at the first return of each function of the notebook's cells.

    An exception of `call` ends it, and what was seen until then is returned.

    Args:
        call: what to run.
        is_own: whether code from a file of this name is the notebook's.
    """
    seen: dict[CodeType, dict] = {}
    entered: dict[FrameType, dict] = {}

    def watch(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        # `<lambda>`, `<listcomp>` and a cell's `<module>` are no functions that one can ask about.
        if code in seen or code.co_name.startswith("<") or not is_own(code.co_filename):
            return
        if event == "call" and code not in (one.f_code for one in entered):
            if len(seen) + len(entered) < MOST_FUNCTIONS:
                entered[frame] = _described(frame.f_locals)
        elif event == "return" and frame in entered:
            parameters = entered.pop(frame)
            # An exception and a `yield` are "return" events, too.
            if code.co_code[frame.f_lasti] in RETURNS:
                seen[code] = {
                    "function": code.co_name[:100],
                    "line": code.co_firstlineno,
                    "parameters": parameters,
                    "locals": _described(frame.f_locals),
                }

    before = sys.getprofile()
    sys.setprofile(watch)
    try:
        call()
    except (
        BaseException
    ):  # a student's code may raise anything; what was seen is still worth having
        pass
    finally:
        sys.setprofile(before)
    return list(seen.values())


def _described(variables: dict[str, Any]) -> dict[str, dict]:
    some = [(name, value) for name, value in variables.items() if isinstance(name, str)]
    return {name[:100]: describe(value) for name, value in some[:MOST_NAMES]}


def describe(value: Any) -> dict:
    """A value's kind, and its shape, its length or, if it is a small number, itself."""
    kind = type(value)
    if value is None or kind is bool:
        return {"kind": kind.__name__, "value": value}
    if kind in (int, float):
        small = math.isfinite(value) and abs(value) <= LARGEST_NUMBER
        return {"kind": kind.__name__, "value": value} if small else {"kind": kind.__name__}
    # By exact type: a student's subclass could run code of its own here.
    if kind in (str, bytes, list, tuple, dict, set, frozenset):
        return {"kind": kind.__name__, "length": len(value)}
    made = {"kind": kind.__name__[:60]}
    for module, name in (("torch", "Tensor"), ("numpy", "ndarray"), ("pandas", "DataFrame"),
                         ("pandas", "Series")):  # fmt: skip
        if kind is getattr(sys.modules.get(module), name, None):
            made["shape"] = [int(size) for size in value.shape][:8]
    return made


def run_observed(
    run_cell: Callable[[str], Any],
    cells: list[str],
    calls: list[str],
    is_own: Callable[[str], bool] = from_a_cell,
) -> list[dict]:
    """Run a notebook's cells, then each call; what was seen in each, with the call's code.

    Args:
        run_cell: runs code as a cell of the notebook.
        cells: the notebook's code cells.
        calls: code that calls the notebook's functions.
        is_own: as for `observe`.
    """
    for cell in cells:
        with contextlib.suppress(BaseException):
            run_cell(cell)
    seen = []
    for call in calls:
        seen += [{**one, "call": call} for one in observe(lambda: run_cell(call), is_own)]  # noqa: B023
    return seen
