"""Small tables that an instructor writes: CSV as any spreadsheet saves it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


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
    text = text.replace("\0", "")
    first = next((line for line in text.splitlines() if line.strip(" \t,;")), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    header: list[str] = []
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if not header:
                header = [cell.lower() for cell in cells]
                _check_header(table, header, reader.line_num, needed, optional)
            elif any(cells[len(header) :]):
                table.fault(
                    reader.line_num,
                    f"{len(cells)} cells, but {len(header)} columns: put a name with a "
                    "separator in it between quotes",
                )
            else:
                cells += [""] * (len(header) - len(cells))
                table.rows.append((reader.line_num, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        raise ValueError(f"{path}, line {reader.line_num}: {error}; save it as CSV anew.") from None
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
