"""Tables as CSV: read as any spreadsheet may have saved them, written so that it runs nothing."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from genre_lib.files import written_whole


@dataclass
class Table:
    """The rows of a CSV file by column, and what is wrong with them by line."""

    path: Path
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    """Line number, and the cells by the column's name in lower case."""
    remark: str = ""
    faults: list[str] = field(default_factory=list)

    def fault(self, line: int, what: str) -> None:
        """Note what is wrong with a line, so that all of it can be fixed at once."""
        self.faults.append(f"{self.path}, line {line}: {what}.")

    def check(self) -> None:
        """Refuse the table when anything was noted.

        Raises:
            ValueError: with each fault on a line of its own.
        """
        if self.faults:
            rest = len(self.faults) - 20
            more = [f"... and {rest} more faults."] if rest > 0 else []
            raise ValueError("\n".join([*self.faults[:20], *more]))


def read_table(path: Path, needed: Sequence[str], optional: Sequence[str] = ()) -> Table:
    """Read a CSV file with commas, semicolons or tabs; columns of other names are left out.

    Raises:
        ValueError: it can't be read, or a column is missing.
    """
    table = Table(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror}): give a CSV file.") from None
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # Excel's "Unicode text"
        text = content.decode("utf-16", "replace")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", "replace")
            table.remark = f"{path} is not UTF-8 and was read as Latin-1: check names with accents."
    text = re.sub(r'\A"?sep=."?(?=\r?\n)', "", text.replace("\0", ""))  # Excel's own hint
    first = next((line for line in text.splitlines() if line.strip(" \t,;")), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header: list[str] = []
    line = 1
    try:
        for row in reader:
            # Where the row begins: a cell may have many lines.
            start, line = line, reader.line_num + 1
            cells = [restore(cell).strip() for cell in row]
            if not any(cells):
                continue
            if not header:
                header = [cell.lower() for cell in cells]
                _check_header(table, header, start, needed, optional)
            elif any(cells[len(header) :]):
                table.fault(
                    start,
                    f"{len(cells)} cells, but {len(header)} columns: put a name with a "
                    "separator in it between quotes",
                )
            else:
                cells += [""] * (len(header) - len(cells))
                table.rows.append((start, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        raise ValueError(f"{path}, line {line}: {error}; save it as CSV anew.") from None
    if not header:
        raise ValueError(f"{path} is empty: its first line must be {','.join(needed)}.")
    return table


def _check_header(
    table: Table, header: list[str], line: int, needed: Sequence[str], optional: Sequence[str]
) -> None:
    for name in needed:
        if name not in header:
            raise ValueError(
                f"{table.path}, line {line}: there is no column {name!r}; the first line must be "
                f"{','.join(needed)}."
            )
    for name in (*needed, *optional):
        if header.count(name) > 1:
            raise ValueError(f"{table.path}, line {line}: there are two columns {name!r}.")


def write(path: Path, text: str) -> None:
    """Write a file as a whole, or not at all."""
    with written_whole(path) as new:
        new.write_text(text, "utf8", errors="replace")


def write_table(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as a whole, or not at all; with a byte-order mark, for Excel's umlauts."""
    with (
        written_whole(path) as new,
        new.open("w", encoding="utf-8-sig", errors="replace", newline="") as file,
    ):
        csv.writer(file).writerows([protect(cell) for cell in row] for row in rows)


# How a cell begins that a spreadsheet may run; the last ones are full-width and small signs.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠", "﹦")
_SIGNS = re.escape("".join(FORMULA))
# Where a cell begins for a spreadsheet that takes another separator or quote than this file's.
_BEGIN = r"(^|[;,|\t\r\n\"])( *)"


def protect(cell: str) -> str:
    """The cell with apostrophes before all that a spreadsheet might run.

    Where apostrophes are there already, one is added, so that `restore` takes exactly one away.
    """
    return re.sub(rf"{_BEGIN}(?='*[{_SIGNS}])", r"\1\2'", cell)


def restore(cell: str) -> str:
    """What `protect` was given."""
    return re.sub(rf"{_BEGIN}'(?='*[{_SIGNS}])", r"\1\2", cell)


def read_points(text: str, most: float) -> float | None:
    """Points that a person typed, with a decimal point or comma, to hundredths; None without any.

    Raises:
        ValueError: it is no number between 0 and `most`.
    """
    if not text:
        return None
    if not re.fullmatch(r"\d+([.,]\d*)?|[.,]\d+", text, re.ASCII):
        raise ValueError(f"{text[:20]!r} is not a number of points")
    points = round(float(text.replace(",", ".")), 2)
    if points > most:
        raise ValueError(f"{text[:20]} points are more than the {most:g} that there are")
    return points
