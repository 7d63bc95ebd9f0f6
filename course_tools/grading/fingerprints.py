"""Which notebooks share code that the rest of the class doesn't.

Code becomes tokens that don't depend on names, layout, comments, or the order of statements,
functions and cells; hashes of K tokens in a row, thinned out by winnowing (Schleimer, Wilkerson and
Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003), are its
fingerprints. Any run of at least K + WINDOW - 1 tokens that two functions share is certain to be
found; runs shorter than K never are. What many in the class share weighs less, and what stands in
the handout, the reference solution or the typical mistakes weighs nothing.

copydetect, the library that is still maintained, winnows too, but it compares whole files token by
token, so reordered statements escape it, it weighs nothing by the class, and it needs matplotlib.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import hashlib
import io
import keyword
import math
import re
import tokenize
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from scipy.sparse import csr_matrix

from course_tools.grading.page import lines_of

K = 9
"""Tokens in a fingerprint."""
WINDOW = 4
"""Of so many fingerprints in a row, at least one is kept."""
BUILTINS = frozenset(dir(builtins))
NAMED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)


@dataclass(frozen=True)
class Unit:
    """A function, a class, or a cell's statements outside both."""

    name: str
    source: str
    tokens: tuple[str, ...]


@dataclass
class Notebook:
    """A student's own code and its fingerprints."""

    student: str
    units: list[Unit]
    prints: list[frozenset[int]] = field(default_factory=list)
    """By unit: the fingerprints that winnowing keeps."""
    everything: frozenset[int] = frozenset()
    """All hashes, the others as well: whether code is common must not depend on the thinning."""

    def __post_init__(self) -> None:
        hashes = [hashes_of(unit.tokens) for unit in self.units]
        self.prints = [frozenset(winnow(some)) for some in hashes]
        self.everything = frozenset().union(*hashes)


@dataclass(frozen=True)
class Match:
    """Two functions that share fingerprints, and how much these weigh."""

    left: Unit
    right: Unit
    weight: float


@dataclass(frozen=True)
class Pair:
    """Two notebooks and how alike they are, from 0 to 1."""

    left: Notebook
    right: Notebook
    likeness: float
    matches: list[Match]


def plain_python(cell: str) -> str:
    """A cell without IPython's magics and shell commands; lines keep their numbers."""
    return MAGIC.sub(r"\1pass", cell)


class Handout:
    """What students were given: its cells are nobody's own, and its names mean something."""

    def __init__(self, cells: Iterable[str] = ()):
        cells = list(cells)
        self.cells = {_bare(cell) for cell in cells}
        self.names = BUILTINS | frozenset(name for cell in cells for name in _bound(cell))
        self.imports = _imports(cells)
        self.units = {unit.tokens for cell in cells for unit in self._units(cell, 0, self.imports)}

    def own_units(self, cells: Iterable[str]) -> list[Unit]:
        """A notebook's functions, classes and other statements that were not given."""
        cells = list(cells)
        imports = self.imports | _imports(cells)
        units = []
        for number, cell in enumerate(cells, 1):
            if _bare(cell) not in self.cells:
                made = self._units(cell, number, imports)
                units += [one for one in made if one.tokens and one.tokens not in self.units]
        return units

    def hashes(self, codes: Iterable[str]) -> frozenset[int]:
        """All hashes of code that anybody may have, such as the solution; each piece by itself."""
        codes = list(codes)
        imports = self.imports | _imports(codes)
        units = (unit for code in codes for unit in self._units(code, 0, imports))
        return frozenset(one for unit in units for one in hashes_of(unit.tokens))

    def _units(self, cell: str, number: int, imports: Mapping[str, str]) -> list[Unit]:
        code = plain_python(cell)
        tree = _parsed(code)
        with contextlib.suppress(RecursionError):
            if tree is not None:
                return list(self._parts(cell, code, tree, number, imports))
        return [Unit(f"cell {number}", cell, tuple(_rough_tokens(code, self.names)))]

    def _parts(
        self, cell: str, code: str, tree: ast.Module, number: int, imports: Mapping[str, str]
    ) -> Iterator[Unit]:
        rest = []
        for node in tree.body:
            if not isinstance(node, NAMED):
                rest.append(node)
                continue
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            source = "\n".join(lines_of(cell)[first - 1 : node.end_lineno])
            yield Unit(node.name, source, tuple(Writer([node], self.names, imports).tokens()))
        if rest:
            lines = lines_of(code)
            parts = ["\n".join(lines[node.lineno - 1 : node.end_lineno]) for node in rest]
            tokens = tuple(Writer(rest, self.names, imports).tokens())
            yield Unit(f"cell {number}", "\n".join(dict.fromkeys(parts)), tokens)


def _bare(cell: str) -> str:
    return "\n".join(line.rstrip() for line in cell.strip().splitlines())


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a stranger's "\d" is not worth a line on our screen
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _bound(cell: str) -> Iterator[str]:
    """Names that a cell makes outside its functions and classes."""
    tree = _parsed(plain_python(cell))
    for node in tree.body if tree else ():
        if isinstance(node, NAMED):
            yield node.name
        elif not isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (
                inner.id
                for inner in ast.walk(node)
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
            )


def _imports(cells: Iterable[str]) -> dict[str, str]:
    """What imports bind: by the name that is used, the name that it has in its library."""
    found: dict[str, str] = {}
    for cell in cells:
        tree = _parsed(plain_python(cell))
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for one in node.names:
                    # `import torch.nn` binds torch, `import torch.nn as nn` binds nn
                    used = one.asname or one.name.partition(".")[0]
                    found[used] = one.name.rpartition(".")[2] if one.asname else used
    return found


class Writer:
    """Writes a syntax tree as tokens: what a name is stays, what it is called does not."""

    def __init__(self, body: Sequence[ast.stmt], kept: frozenset[str], imports: Mapping[str, str]):
        self.body, self.kept, self.imports = body, kept, imports
        self.bound: dict[str, str] = {}
        for node in body:
            for inner in ast.walk(node):
                if isinstance(inner, ast.arg):
                    self.bound[inner.arg] = "parameter"
                elif isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                    self.bound.setdefault(inner.id, "variable")

    def tokens(self) -> list[str]:
        """All of it, statements of a block in an order that only depends on what they do."""
        return self._block(self.body)

    def _block(self, body: Sequence[ast.stmt]) -> list[str]:
        written = sorted(self._statement(node) for node in body if not _says_nothing(node))
        return [token for some in written for token in some]

    def _statement(self, node: ast.AST) -> list[str]:
        return list(self._write(node))

    def _write(self, node: ast.AST) -> Iterator[str]:
        if isinstance(node, ast.Name):
            yield self._name(node.id)
        elif isinstance(node, ast.Constant):
            yield type(node.value).__name__
        elif isinstance(node, ast.Attribute):
            yield from self._write(node.value)
            yield f".{node.attr}"
        elif isinstance(node, ast.arg):
            yield "parameter"
        elif isinstance(node, ast.keyword):
            yield f"{node.arg}="
            yield from self._write(node.value)
        elif isinstance(node, ast.Expr):
            yield from self._write(node.value)
        elif isinstance(node, (ast.Load, ast.Store, ast.Del)):
            return
        else:
            yield type(node).__name__
            for name, value in ast.iter_fields(node):
                yield from self._field(node, name, value)

    def _field(self, node: ast.AST, name: str, value: object) -> Iterator[str]:
        if isinstance(value, list) and value and isinstance(value[0], ast.stmt):
            yield f"{{{name}"  # where a block begins: else is not body
            yield from self._block(value)
            yield "}"
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, ast.AST):
                    yield from self._write(one)
        elif isinstance(value, ast.AST):
            yield from self._write(value)
        elif (type(node), name) in ((ast.alias, "name"), (ast.ImportFrom, "module")):
            yield str(value)

    def _name(self, name: str) -> str:
        if name in self.bound:
            return self.bound[name]
        if name in self.imports:
            return self.imports[name]
        return name if name in self.kept else "variable"


def _says_nothing(node: ast.stmt) -> bool:
    """Docstrings, ``...``, ``pass`` and ``print``: what is added to look different."""
    if isinstance(node, ast.Pass):
        return True
    if not isinstance(node, ast.Expr):
        return False
    value = node.value
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id == "print"
    return isinstance(value, ast.Constant)


def _rough_tokens(code: str, kept: frozenset[str]) -> Iterator[str]:
    """What can be read of code that is no Python: names and literals by kind, as far as it goes."""
    kinds = {tokenize.NUMBER: "int", tokenize.STRING: "str"}
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.NAME:
                known = token.string in kept or keyword.iskeyword(token.string)
                yield token.string if known else "variable"
            elif token.type == tokenize.OP:
                yield token.string
            elif token.type in kinds:
                yield kinds[token.type]
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def hashes_of(tokens: Sequence[str]) -> list[int]:
    """The hash of each K tokens in a row."""
    grams = ("\0".join(tokens[i : i + K]) for i in range(len(tokens) - K + 1))
    return [
        int.from_bytes(
            hashlib.blake2b(gram.encode("utf8", "replace"), digest_size=7).digest(), "big"
        )
        for gram in grams
    ]


def winnow(hashes: Sequence[int]) -> set[int]:
    """Of each WINDOW hashes in a row the least; of fewer, the least of all."""
    ends = range(max(1, len(hashes) - WINDOW + 1)) if hashes else ()
    return {min(hashes[i : i + WINDOW]) for i in ends}


def weights_of(notebooks: Sequence[Notebook], common: frozenset[int]) -> dict[int, float]:
    """What each fingerprint weighs: log(n / how many of the n notebooks have it).

    One that everybody has weighs nothing; neither do those in `common`, which anybody may have.
    """
    had_by = Counter(one for notebook in notebooks for one in notebook.everything - common)
    return {one: math.log(len(notebooks) / number) for one, number in had_by.items()}


def likenesses(notebooks: Sequence[Notebook], weights: Mapping[int, float]) -> np.ndarray:
    """How alike each two notebooks are: a square table of numbers from 0 to 1.

    It is the cosine of their weighted fingerprints. A notebook with less code of its own than the
    class's median counts as if it had the median's: a few shared lines are not a shared notebook.
    """
    columns = {one: i for i, one in enumerate(weights)}
    rows, places, values = [], [], []
    for row, notebook in enumerate(notebooks):
        for one in sorted(frozenset().union(*notebook.prints) & weights.keys()):
            rows.append(row)
            places.append(columns[one])
            values.append(weights[one])
    shape = (len(notebooks), max(1, len(columns)))
    table = csr_matrix((values, (rows, places)), shape=shape, dtype=float)
    shared = (table @ table.T).toarray()
    lengths = np.sqrt(np.diag(shared))
    lengths = np.maximum(lengths, np.median(lengths)) if len(lengths) else lengths
    return shared / np.maximum(np.outer(lengths, lengths), 1e-12)


def pairs_of(
    notebooks: Sequence[Notebook], likeness: np.ndarray, weights: Mapping[int, float], top: int
) -> list[Pair]:
    """The pairs that are most alike, the most alike first, each with the functions that match."""
    left, right = np.triu_indices(len(notebooks), 1)
    order = np.argsort(-likeness[left, right], kind="stable")[:top]
    made = []
    for i, j in zip(left[order], right[order], strict=True):
        a, b = notebooks[i], notebooks[j]
        made.append(Pair(a, b, float(likeness[i, j]), matches_of(a, b, weights)))
    return made


def matches_of(a: Notebook, b: Notebook, weights: Mapping[int, float]) -> list[Match]:
    """Functions of both that share most, each at most once."""
    found = [
        Match(one, other, weight)
        for one, some in zip(a.units, a.prints, strict=True)
        for other, others in zip(b.units, b.prints, strict=True)
        if (weight := sum(weights.get(hashed, 0.0) for hashed in some & others)) > 0
    ]
    taken: set[int] = set()
    best = []
    for match in sorted(found, key=lambda match: -match.weight):
        if not {id(match.left), id(match.right)} & taken:
            taken |= {id(match.left), id(match.right)}
            best.append(match)
    return best
