"""A worker behind a wall, and a watch over it.

The kernel holds the limits; the watch says which one was met, and ends what sits still. Where there
is no control group it also looks at memory, as often as it comes to it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil

from course_tools.grading.limits import Limits
from course_tools.grading.walls import Place, Unsandboxed
from course_tools.grading.wire import WireError, decode, encode


class Ended(RuntimeError):
    """The sandbox is gone; the message says why."""


class Raised(Exception):
    """The student's code raised; the message is its error's."""


class Unsendable(Raised):
    """The student's code answered with something that is no plain data."""


class Sandbox:
    """A running worker; a context manager that ends it."""

    def __init__(self, limits: Limits, wall: type[Unsandboxed], place: Place):
        self.limits, self.group, self.reason = limits, place.group, ""
        self._wall = wall(limits, place)
        self._process = subprocess.Popen(
            self._wall.command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,  # all that is printed
            cwd="/",
            start_new_session=True,
        )
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self.printed = 0
        for watch in (self._watch_output, self._watch_resources):
            threading.Thread(target=watch, daemon=True).start()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._end("")
        for stream in (self._requests, self._answers, self._process.stderr):
            with contextlib.suppress(OSError):  # it may hold something for a process that is gone
                stream.close()

    def _end(self, reason: str) -> None:
        self.reason = self.reason or reason
        self._wall.end(self._process)
        self._process.wait()

    def _watch_output(self) -> None:
        while part := self._process.stderr.read1(65536):
            self.printed += len(part)
            if self.printed > self.limits.output:
                self._end(self.limits.too_loud)
                return

    def _watch_resources(self) -> None:
        start = time.monotonic()
        while self._process.poll() is None:
            if time.monotonic() - start > self.limits.seconds:
                return self._end(self.limits.too_long)
            if reason := self._exceeded():
                return self._end(reason)
            time.sleep(0.05)
        return None

    def _exceeded(self) -> str:
        """The limit that was met, or nothing."""
        if self.group:
            self.group.find(self._process.pid)
            return self.group.exceeded(self.limits)
        with contextlib.suppress(psutil.NoSuchProcess):
            inside = self._wall.processes(psutil.Process(self._process.pid))
            if sum(map(_threads, inside)) >= self.limits.tasks:
                return self.limits.too_many
            # The first is never less, and found much faster.
            kinds = (_resident, _memory)
            files = _files_in_memory(inside)
            if all(sum(map(kind, inside)) + files > self.limits.memory for kind in kinds):
                return self.limits.too_much
        return ""

    def ask(self, *request: Any) -> Any:
        """Let the worker do something; return its answer.

        Raises:
            Ended: it is gone, or sent what is no answer.
            Raised: the student's code raised.
        """
        try:
            self._requests.write(encode(request, lambda value: getattr(value, "_number", None)))
            self._requests.flush()
            kind, value = decode(self._answers, lambda number: Handle(self, number))
            if type(kind) is not str:
                raise WireError("gave an answer that can't be read")
        except (OSError, EOFError, WireError, ValueError, TypeError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.2)  # it may be about to end
            reason = self._exceeded()
            if self._process.poll() is None:
                self._end(
                    reason or (str(error) if isinstance(error, WireError) else "stopped answering")
                )
            self.reason = self.reason or reason or self._wall.died(self._process.returncode)
            raise Ended(self.reason) from None
        if kind in ("raised", "unsendable"):
            raise {"raised": Raised, "unsendable": Unsendable}[kind](str(value))
        return value


def _resident(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_info().rss
    return 0


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        memory = process.memory_full_info()
        return getattr(memory, "pss", memory.uss)  # of what forks share each has its share
    return 0


def _threads(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.num_threads()
    return 0


def _files_in_memory(processes: list[psutil.Process]) -> int:
    """Bytes of memory that no process has: of files without a name, and of shared memory."""
    sizes: dict[tuple[int, int], int] = {}
    shared = 0
    for process in processes:
        for status in _nameless(process.pid):
            sizes[status.st_dev, status.st_ino] = status.st_blocks * 512
        with contextlib.suppress(OSError, ValueError, IndexError):
            lines = Path(f"/proc/{process.pid}/root/proc/sysvipc/shm").read_text().splitlines()
            column = lines[0].split().index("rss")
            shared = max(shared, sum(int(line.split()[column]) for line in lines[1:]))
    return sum(sizes.values()) + shared


def _nameless(pid: int) -> Iterator[os.stat_result]:
    with contextlib.suppress(OSError):
        for entry in os.scandir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                if os.readlink(entry.path).startswith("/memfd:"):
                    yield os.stat(entry.path)


class Handle:
    """Something of the student's that stays in the sandbox; it can be called and asked."""

    def __init__(self, sandbox: Sandbox, number: int):
        self._sandbox, self._number = sandbox, int(number)

    def __call__(self, *positional: Any, **named: Any) -> Any:
        """Let the sandbox call it with plain data or with other handles."""
        return self._sandbox.ask("call", self, positional, named)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self._sandbox.ask("attribute", self, name)


class Names(Mapping):
    """The notebook's names, each fetched when it is asked for."""

    def __init__(self, sandbox: Sandbox, names: list[str]):
        there = sandbox.ask("names", names)
        self._sandbox = sandbox
        said = [name for name in there if isinstance(name, str)] if type(there) is list else []
        self._names = [name for name in names if name in said]
        self.known: dict[str, Any] = {}
        """What is not asked for again."""

    def know(self, name: str, value: Any) -> None:
        """Answer `name` with `value` from now on, without asking."""
        self.known[name] = value

    def __getitem__(self, name: str) -> Any:
        return self.known[name] if name in self.known else self._sandbox.ask("get", name)

    def __contains__(self, name: object) -> bool:
        return name in self.known or name in self._names

    def __iter__(self) -> Any:
        return iter({*self._names, *self.known})

    def __len__(self) -> int:
        return len({*self._names, *self.known})
