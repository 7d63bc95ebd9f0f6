"""Questions for a short conversation with students about their own code.

They are made from the syntax tree and from what a run showed; no language model is involved. Each
has an answer that the code itself proves, for the instructor's copy.
"""

from __future__ import annotations

import ast
import contextlib
import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from course_tools.grading.fingerprints import Handout, Unit, plain_python
from course_tools.grading.page import lines_of

QUESTIONS = 3
WIDEST = 90
# What a keyword does, by the function's last name; "" is any function.
KEYWORDS = {
    ("pad_sequence", "batch_first"): "With True, rows come first: (rows, longest). Without it the "
    "shape is (longest, rows).",
    ("pad_sequence", "padding_value"): "The number that fills up the shorter rows; by default 0.",
    ("sorted", "key"): "Sorts by what this function returns for an element, not by the element.",
    ("sort", "key"): "Sorts by what this function returns for an element, not by the element.",
    ("max", "key"): "Compares what this function returns for an element, not the element.",
    ("min", "key"): "Compares what this function returns for an element, not the element.",
    ("sorted", "reverse"): "With True, the largest comes first. Without it, the smallest does.",
    ("sort", "reverse"): "With True, the largest comes first. Without it, the smallest does.",
    ("argmax", "dim"): "The dimension that is searched and disappears: with 1, one answer per row; "
    "without it, one number for the whole tensor.",
    ("max", "dim"): "The dimension that is searched: with 1, one maximum and its index per row.",
    ("softmax", "dim"): "The dimension along which the numbers add up to 1: with 1, in each row.",
    ("sum", "dim"): "The dimension that is added up and disappears; without it, all is added up.",
    ("mean", "dim"): "The dimension whose mean is taken and that disappears; without it, one mean "
    "of everything.",
    (
        "cat",
        "dim",
    ): "The dimension along which the tensors are joined; 0, new rows, is the default.",
    ("stack", "dim"): "Where the new dimension goes; 0, the front, is the default.",
    ("Adam", "lr"): "The learning rate: how large the optimiser's steps are; by default 0.001.",
    ("AdamW", "lr"): "The learning rate: how large the optimiser's steps are; by default 0.001.",
    ("SGD", "lr"): "The learning rate: each step is the gradient times this number.",
    ("AdamW", "weight_decay"): "How strongly each step pulls the weights towards 0.",
    (
        "Adam",
        "weight_decay",
    ): "How strongly the weights are pulled towards 0, through the gradient.",
    ("zero_grad", "set_to_none"): "With True, gradients become None instead of zeros, which saves "
    "memory; it is the default.",
    ("CrossEntropyLoss", "reduction"): "'mean', the default, gives the mean loss of the batch, "
    "'sum' the sum, 'none' a loss for each song.",
    ("cross_entropy", "reduction"): "'mean', the default, gives the mean loss of the batch, 'sum' "
    "the sum, 'none' a loss for each song.",
    ("tensor", "dtype"): "The type of the tensor's numbers; without it, torch derives it from the "
    "values.",
    ("zeros", "dtype"): "The type of the tensor's numbers; without it, they are float32.",
    ("ones", "dtype"): "The type of the tensor's numbers; without it, they are float32.",
    ("randperm", "generator"): "The source of chance: with one of its own, the order depends on "
    "its seed alone.",
    ("sample", "k"): "How many elements are drawn; all of them make a shuffled copy.",
    ("enumerate", "start"): "The first number that is counted; by default 0.",
    ("zip", "strict"): "With True, lists of different length raise an error instead of being cut.",
    ("sort_values", "ascending"): "False sorts from the largest down; a list says it by column.",
    ("value_counts", "normalize"): "With True, shares instead of counts.",
    ("Dropout", "p"): "The probability with which a number is set to 0 in training.",
}
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


@dataclass(frozen=True)
class Question:
    """A question about some code; text and answer are Markdown with `code` at most."""

    text: str
    code: str
    """The code that it is about; the text's lines count from its first one, 1."""
    answer: str
    kind: str
    where: str
    """The function's name, or the cell."""
    example: str = ""
    """Code that calls it, where the answer depends on a call."""


@dataclass(frozen=True)
class Binding:
    """Where a name gets a value."""

    line: int
    kind: str
    node: ast.AST
    around: tuple[ast.stmt, ...]
    """The loops, branches and so on that it is in, the outermost first."""


@dataclass
class Scope:
    """The names of one function, or of a cell's statements: where each is bound and used."""

    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    uses: dict[str, set[int]] = field(default_factory=dict)
    outside: set[str] = field(default_factory=set)
    """Names declared global or nonlocal, or also bound in an inner scope: not asked about."""

    @staticmethod
    def of(body: Sequence[ast.stmt], function: ast.AST | None = None) -> Scope:
        """The scope of statements, with the parameters of `function`."""
        scope = Scope()
        for name, line in _parameters(function):
            scope._bind(name, line, "parameter", function, ())
        for node in body:
            scope._visit(node, ())
        return scope

    def _bind(self, name: str, line: int, kind: str, node: ast.AST, around: tuple) -> None:
        self.bindings.setdefault(name, []).append(Binding(line, kind, node, around))

    def _visit(self, node: ast.AST, around: tuple, owner: ast.AST | None = None) -> None:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load):
                self.uses.setdefault(node.id, set()).add(node.lineno)
            else:
                kind = type(owner).__name__ if owner else "other"
                self._bind(node.id, node.lineno, kind, owner or node, around)
            return
        if isinstance(node, (*COMPREHENSIONS, *FUNCTIONS)):
            self._visit_inner(node, around)
            return
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            self.outside.update(node.names)
        elif isinstance(node, ast.ClassDef):
            self._bind(node.name, node.lineno, "other", node, around)
            return
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            for one in node.names:
                self._bind((one.asname or one.name).partition(".")[0], node.lineno, "Import", node,
                           around)  # fmt: skip
        elif isinstance(node, ast.ExceptHandler) and node.name:
            self._bind(node.name, node.lineno, "other", node, around)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            self.uses.setdefault(node.target.id, set()).add(node.lineno)
        binds = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.For, ast.NamedExpr, ast.withitem)
        owner = node if isinstance(node, binds) else owner
        inside = isinstance(node, (ast.For, ast.While, ast.If, ast.With, ast.Try))
        for child in ast.iter_child_nodes(node):
            # What a `for` repeats or an `if` tests is not inside it.
            block = isinstance(child, (ast.stmt, ast.ExceptHandler))
            deeper = (*around, node) if inside and block else around
            self._visit(child, deeper, None if isinstance(child, ast.stmt) else owner)

    def _visit_inner(self, node: ast.AST, around: tuple) -> None:
        """A scope of its own: names that it binds hide ours, the others are ours."""
        inner = Scope()
        if isinstance(node, COMPREHENSIONS):
            for child in ast.iter_child_nodes(node):
                for part in ast.iter_child_nodes(child) if _is_clause(child) else [child]:
                    inner._visit(part, (), node)
        else:
            for name, line in _parameters(node):
                inner._bind(name, line, "parameter", node, ())
            body = node.body if isinstance(node.body, list) else [node.body]
            for child in [*body, *node.args.defaults]:
                inner._visit(child, ())
            if not isinstance(node, ast.Lambda):
                self._bind(node.name, node.lineno, "other", node, around)
        self.outside |= inner.bindings.keys() | inner.outside
        for name, lines in inner.uses.items():
            if name not in inner.bindings:
                self.uses.setdefault(name, set()).update(lines)

    def once(self) -> Iterator[tuple[str, Binding, list[int]]]:
        """Names that get a value in one place only, and the lines that use them."""
        for name, bindings in self.bindings.items():
            if len(bindings) == 1 and name not in self.outside and not name.startswith("_"):
                yield name, bindings[0], sorted(self.uses.get(name, ()))


def _is_clause(node: ast.AST) -> bool:
    return isinstance(node, ast.comprehension)


def _parameters(function: ast.AST | None) -> list[tuple[str, int]]:
    if not isinstance(function, FUNCTIONS):
        return []
    args = function.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return [(one.arg, one.lineno) for one in every if one]


@dataclass
class Piece:
    """A student's function, or statements of a cell, with line numbers from 1."""

    unit: Unit
    body: list[ast.stmt]
    function: ast.FunctionDef | None
    scope: Scope

    @property
    def where(self) -> str:
        """How a sentence names it."""
        return f"`{self.unit.name}`" if self.function else "this cell"

    def text(self, node: ast.AST) -> str:
        """Some of its code, on one line, as it is quoted."""
        return _quoted(ast.get_source_segment(self.unit.source, node) or "")

    def line(self, number: int) -> str:
        """A line of its code, quoted."""
        return _quoted(lines_of(self.unit.source)[number - 1])


def _quoted(code: str) -> str:
    code = " ".join(code.replace("`", "'").split())
    return f"`{code if len(code) <= WIDEST else code[: WIDEST - 1] + '…'}`"


def _listed(lines: Sequence[int]) -> str:
    """``line 3``, or ``lines 3, 5 and 8``."""
    if len(lines) == 1:
        return f"line {lines[0]}"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"


def questions_about(
    cells: Sequence[str], seen: Sequence[dict], seed: str, handout: Handout | None = None
) -> list[Question]:
    """Three questions, fewer if there is little code, none if there is none.

    They are of different kinds and about different functions, as far as there are enough.

    Args:
        cells: the notebook's code cells.
        seen: what `run_observed` answered: records of `observe`, each with the "call" that was run.
        seed: chooses among all possible questions; the same seed chooses the same ones.
        handout: what students were given, which is not asked about.
    """
    pieces = list(_pieces(handout or Handout(), cells))
    signatures = _signatures(cells)
    found = [
        *(one for piece in pieces for one in _of_the_run(piece, seen)),
        *(one for piece in pieces for one in _of_the_tree(piece, signatures, seen)),
    ]
    chance = random.Random(seed)
    chance.shuffle(found)
    kinds = sorted({one.kind for one in found})
    # Each kind is as likely to come first, however many questions of it there are.
    luck = {kind: chance.random() - (kind == "run") for kind in kinds}
    chosen: list[Question] = []
    while len(chosen) < QUESTIONS and found:
        asked = [one.kind for one in chosen]
        places = [one.where for one in chosen]
        # A kind not asked yet matters most, then a function, then what only a run can tell.
        best = min(
            found,
            key=lambda one: (asked.count(one.kind), places.count(one.where), luck[one.kind]),
        )
        found.remove(best)
        chosen.append(best)
    return chosen


def _pieces(handout: Handout, cells: Sequence[str]) -> Iterator[Piece]:
    latest = {unit.name: unit for unit in handout.own_units(cells)}  # the last definition counts
    for unit in latest.values():
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            body = ast.parse(unit.source).body
            function = body[0] if len(body) == 1 and isinstance(body[0], ast.FunctionDef) else None
            if not any(isinstance(node, ast.ClassDef) for node in body):
                inner = function.body if function else body
                yield Piece(unit, inner, function, Scope.of(inner, function))


def _signatures(cells: Sequence[str]) -> dict[str, tuple[list[str], str]]:
    """Of the notebook's functions and classes: positional parameters, and the code."""
    found = {}
    for cell in cells:
        with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
            for node in ast.parse(plain_python(cell)).body:
                made, skipped = node, 0
                if isinstance(node, ast.ClassDef):
                    inside = [x for x in node.body if isinstance(x, ast.FunctionDef)]
                    made, skipped = next((x for x in inside if x.name == "__init__"), None), 1
                if isinstance(made, ast.FunctionDef):
                    names = [one.arg for one in [*made.args.posonlyargs, *made.args.args]]
                    found[node.name] = names[skipped:], ast.unparse(made)
    return found


# Questions that a run answers.


def _of_the_run(piece: Piece, seen: Sequence[dict]) -> Iterator[Question]:
    """What a variable looks like when the function returns."""
    if piece.function is None:
        return
    name = piece.function.name
    parameters = {one for one, _ in _parameters(piece.function)}
    for record in seen:
        call = record.get("call")
        # Called once, and by name: otherwise nobody could say which of the calls is meant.
        if not isinstance(call, str) or len(re.findall(rf"\b{name}\(", call)) != 1:
            continue
        if record.get("function") != name or not isinstance(record.get("locals"), dict):
            continue
        for local, described in record["locals"].items():
            if local in parameters or local not in piece.scope.bindings:
                continue
            if asked := _asked(local, described):
                what, answer = asked
                yield Question(
                    f"The example below calls {piece.where}. {what} at the moment when "
                    f"{piece.where} returns, and why?",
                    piece.unit.source,
                    f"{answer} (seen in a run)",
                    "run",
                    piece.unit.name,
                    call,
                )


def _asked(name: str, described: object) -> tuple[str, str] | None:
    """What can be asked about a variable, and the answer; a stranger's report is not trusted."""
    if not isinstance(described, dict):
        return None
    kind, shape, length = (described.get(key) for key in ("kind", "shape", "length"))
    if isinstance(shape, list) and all(type(size) is int for size in shape):
        if len(shape) == 0:
            return None
        shown = f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"
        return f"What is the shape of `{name}`", f"`{shown}`"
    if kind in ("list", "tuple", "dict", "set") and type(length) is int:
        return f"How many elements are in `{name}`", f"{length}, in a {kind}"
    value = described.get("value")
    if kind == "int" and type(value) is int and value not in (0, 1):
        return f"What is the value of `{name}`", f"`{value}`"
    return None


# Questions that the code answers.


def _of_the_tree(
    piece: Piece, signatures: Mapping[str, tuple[list[str], str]], seen: Sequence[dict]
) -> Iterator[Question]:
    made = [
        *_changes(piece),
        *_twice(piece),
        *_origins(piece, _kinds(piece, seen)),
        *_branches(piece),
        *_arguments(piece, signatures),
    ]
    for kind, text, answer in made:
        yield Question(text, piece.unit.source, answer, kind, piece.unit.name)


def _kinds(piece: Piece, seen: Sequence[dict]) -> dict[str, str]:
    """The types of a function's variables, where runs agree on them."""
    found: dict[str, set[str]] = {}
    for record in seen:
        if piece.function and record.get("function") == piece.function.name:
            variables = record.get("locals")
            for name, described in variables.items() if isinstance(variables, dict) else ():
                kind = described.get("kind") if isinstance(described, dict) else None
                found.setdefault(name, set()).add(kind if isinstance(kind, str) else "")
    return {
        name: min(kinds)
        for name, kinds in found.items()
        if len(kinds) == 1 and min(kinds).isidentifier()
    }


def _changes(piece: Piece) -> Iterator[tuple[str, str, str]]:
    for name, binding, uses in piece.scope.once():
        if binding.kind == "parameter" and uses:
            lines = sorted({binding.line, *uses})
            quoted = "; ".join(f"line {n}, {piece.line(n)}" for n in lines)
            yield (
                "change",
                f"Suppose {piece.where} had no parameter `{name}`, because its value was "
                "always the same. Which of its lines would you have to edit, and what does each of "
                "them do?",
                f"{_listed(lines).capitalize()}. In {quoted}.",
            )
        elif _is_number(binding) and (others := [n for n in uses if n != binding.line]):
            quoted = "; ".join(f"line {n}, {piece.line(n)}" for n in others)
            yield (
                "change",
                f"Suppose `{name}` in line {binding.line} were twice as large. Which other "
                "lines use it directly, and what would change there?",
                f"{_listed(others).capitalize()}. In {quoted}.",
            )


def _is_number(binding: Binding) -> bool:
    node = binding.node
    return (
        isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and isinstance(node.value, ast.Constant)
        and type(node.value.value) in (int, float)
        and node.value.value != 0
    )


def _twice(piece: Piece) -> Iterator[tuple[str, str, str]]:
    for name, bindings in piece.scope.bindings.items():
        kinds = {one.kind for one in bindings}
        if name in piece.scope.outside or not kinds <= {"Assign", "AugAssign"}:
            continue
        if len(bindings) != 2 or bindings[0].line == bindings[1].line:
            continue
        if any(isinstance(node, ast.Try) for one in bindings for node in one.around):
            continue  # which of the two runs depends on where an exception comes from
        first, second = sorted(bindings, key=lambda one: one.line)
        said = "; ".join(
            f"line {b.line}, {piece.line(b.line)}, {_place(name, b)}" for b in (first, second)
        )
        only = " Only one of the two runs at a time." if _apart(first, second) else ""
        yield (
            "twice",
            f"Lines {first.line} and {second.line} both give `{name}` a value. What does each of "
            "them do, when does it run, and why is one of them not enough?",
            f"{said[0].upper()}{said[1:]}.{only}",
        )


def _place(name: str, binding: Binding) -> str:
    """Where a statement is, and whether it keeps what was there before."""
    value = getattr(binding.node, "value", None)
    old = any(getattr(x, "id", None) == name for x in ast.walk(value)) if value else False
    kept = (
        "builds on the value from before" if old or binding.kind == "AugAssign" else "starts anew"
    )
    for node in reversed(binding.around):
        if isinstance(node, (ast.For, ast.While)):
            return f"{kept}, in each round of the loop of line {node.lineno}"
        if isinstance(node, ast.If):
            return f"{kept}, in a branch of the `if` of line {node.lineno}"
    return f"{kept}, outside any loop or branch"


def _apart(first: Binding, second: Binding) -> bool:
    """Whether they are in different branches of one `if`."""
    for node in first.around:
        if isinstance(node, ast.If) and node in second.around:
            sides = [
                any(inner is one.node for statement in node.body for inner in ast.walk(statement))
                for one in (first, second)
            ]
            if sides[0] != sides[1]:
                return True
    return False


def _origins(piece: Piece, kinds: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    said = {
        "Assign": "it is assigned there",
        "AnnAssign": "it is assigned there",
        "For": "the loop gives it one value after the other",
        "withitem": "the `with` block gives it its value",
        "NamedExpr": "it is assigned inside the expression",
    }
    for name, binding, uses in piece.scope.once():
        later = [n for n in uses if n > binding.line]
        if binding.kind in said and later:
            yield (
                "origin",
                f"Line {later[-1]} uses `{name}`. In which line does this name get its value, and "
                "what kind of value is it?",
                f"In line {binding.line}, {piece.line(binding.line)}: {said[binding.kind]}."
                + (f" In a run it was of type `{kinds[name]}`." if name in kinds else ""),
            )


def _branches(piece: Piece) -> Iterator[tuple[str, str, str]]:
    for node in (inner for statement in piece.body for inner in ast.walk(statement)):
        if isinstance(node, ast.If) and node.orelse and not isinstance(node.orelse[0], ast.If):
            sides = [
                f"{_span(side)}, {piece.line(side[0].lineno)}" for side in (node.body, node.orelse)
            ]
            yield (
                "branches",
                f"Line {node.lineno} tests {piece.text(node.test)}. When is that true, and how do "
                "the two branches differ?",
                f"If it is true: {sides[0]}. Otherwise: {sides[1]}.",
            )
        elif isinstance(node, ast.IfExp):
            yield (
                "branches",
                f"Line {node.test.lineno} holds the condition {piece.text(node.test)}. When is "
                "that true, and which value results in each of the two cases?",
                f"If it is true: {piece.text(node.body)}. Otherwise: {piece.text(node.orelse)}.",
            )


def _span(body: Sequence[ast.stmt]) -> str:
    first, last = body[0].lineno, body[-1].end_lineno
    return f"line {first}" if first == last else f"lines {first} to {last}"


def _arguments(
    piece: Piece, signatures: Mapping[str, tuple[list[str], str]]
) -> Iterator[tuple[str, str, str]]:
    for node in (inner for statement in piece.body for inner in ast.walk(statement)):
        if not isinstance(node, ast.Call):
            continue
        function = node.func
        last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        for keyword in node.keywords:
            if explained := KEYWORDS.get((last, keyword.arg)):
                yield (
                    "argument",
                    f"Line {keyword.value.lineno} passes {piece.text(keyword)} to `{last}`. "
                    "What does that do, and what would happen without it?",
                    explained,
                )
        # A local variable or parameter of that name would be another function.
        if not isinstance(function, ast.Name) or last not in signatures:
            continue
        if last in piece.scope.bindings or any(isinstance(x, ast.Starred) for x in node.args):
            continue
        names, code = signatures[last]
        for i, (argument, name) in enumerate(zip(node.args, names, strict=False)):
            if getattr(argument, "id", "") != name and i < len(ORDINALS):
                uses = _uses(code, name)
                used = f" It is used in {uses[0]}." if uses else " It is not used there."
                yield (
                    "argument",
                    f"Line {node.lineno} calls {piece.text(node)}. Which parameter of `{last}` "
                    f"receives {piece.text(argument)}, and what does `{last}` use it for?",
                    f"`{name}`, the {ORDINALS[i]} parameter.{used}",
                )


def _uses(code: str, name: str) -> list[str]:
    lines = code.splitlines()
    numbers = sorted(
        node.lineno
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
    )
    return [_quoted(lines[number - 1]) for number in numbers]
