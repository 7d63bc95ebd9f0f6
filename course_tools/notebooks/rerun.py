"""What in a cell makes it say something else when it runs a second time, found by reading it.

Running every cell twice would double the time of the tests, so that is done on demand
(`course_tools.notebooks.twice`). The usual causes can be read off the code in milliseconds: a cell
changes what it has read, grows a list of an earlier cell, trains an earlier cell's network
further, or draws random numbers without setting a seed. Functions count where they are called,
which is not followed.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from course_tools.notebooks.chapters import EXACT

DRAWS = {"rand", "randn", "randint", "randperm", "bernoulli", "multinomial", "normal", "shuffle"}
SEEDS = {"manual_seed", "default_rng", "Generator", "seed", "fork_rng"}
GROWS = {"append", "extend", "insert", "pop", "remove", "update"}
TRAINS = {"fit", "train_one_epoch"}


def rerun_problems(source: str) -> Iterator[str]:
    """Sentences about what is not the same when the cell runs again; "it" is the cell."""
    cell = _Cell()
    try:
        cell.visit(ast.parse(source))
    except SyntaxError:  # a magic command
        return
    for name in cell.changed:
        yield f"it reads `{name}` and then changes it: give the new value another name"
    for name in cell.grown:
        yield f"it changes `{name}`, which an earlier cell made: make it in the same cell"
    for name in cell.trained:
        yield f"it trains `{name}` further, which an earlier cell made: make it in the same cell"
    # An exact cell is compared with its stored output, so that can't depend on random numbers.
    if cell.calls & DRAWS and not cell.calls & SEEDS and EXACT not in source:
        yield f"it draws random numbers (`{min(cell.calls & DRAWS)}`): set a seed in the same cell"


class _Cell(ast.NodeVisitor):
    """Visits a cell's code in the order in which Python evaluates it, as far as names go."""

    def __init__(self) -> None:
        self.bound: set[str] = set()
        self.read: set[str] = set()
        """Names that were read before the cell bound them."""
        self.calls: set[str] = set()
        """Names of called functions and methods."""
        self.changed: dict[str, None] = {}
        self.grown: dict[str, None] = {}
        self.trained: dict[str, None] = {}

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        """A body runs when it is called."""
        self.bound.add(node.name)

    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.expr) -> None:
        """Names that it binds are its own."""
        names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
        own = {n.id for n in names if isinstance(n.ctx, ast.Store)}
        own |= {n.arg for n in ast.walk(node) if isinstance(n, ast.arg)}
        self.read |= {n.id for n in names} - own - self.bound

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_Lambda

    def visit_Name(self, node: ast.Name) -> None:
        """Of a name that is read and bound, the order decides."""
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.bound:
                self.read.add(node.id)
            return
        if node.id in self.read:
            self.changed[node.id] = None
        self.bound.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        """The value comes first."""
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """The value comes first."""
        self.visit(node.value)
        self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        """It reads what it changes."""
        self.visit(node.value)
        if (name := _owner(node.target)) and name not in self.bound:
            self.changed[name] = None

    def visit_For(self, node: ast.For) -> None:
        """What is looped over comes first."""
        for part in (node.iter, node.target, *node.body, *node.orelse):
            self.visit(part)

    def visit_Call(self, node: ast.Call) -> None:
        """What is called, on what."""
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else _owner(function)
        self.calls.add(name)
        owner = _owner(function.value) if isinstance(function, ast.Attribute) else ""
        if name in GROWS and owner and owner not in self.bound:
            self.grown[owner] = None
        first = _owner(node.args[0]) if node.args else ""
        loop = name in TRAINS and (owner == "genre_lib" or isinstance(function, ast.Name))
        if loop and first and first not in self.bound:  # not SongEncoder().fit(songs)
            self.trained[first] = None
        self.generic_visit(node)


def _owner(node: ast.expr) -> str:
    """`a` of a, a.b and a[0].b; nothing of other expressions."""
    while isinstance(node, ast.Attribute | ast.Subscript):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""
