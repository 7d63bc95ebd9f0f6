"""A worker behind a wall, and a watch over it.

The watch runs in the grader. It ends a worker that takes too much time, memory or too many
processes, or prints without end; then every process of it dies.
"""

from __future__ import annotations

import contextlib
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import Any

import psutil

from course_tools.grading.walls import Limits, Nothing
from course_tools.grading.wire import WireError, decode, encode


class Ended(RuntimeError):
    """The sandbox is gone; the message says why."""


class Raised(Exception):
    """The student's code raised; the message is its error's."""


class Sandbox:
    """A running worker; a context manager that ends it."""

    def __init__(self, limits: Limits, wall: type[Nothing]):
        self.limits, self.reason = limits, ""
        self._wall = wall(limits)
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
                self._end(f"printed more than {self.limits.output / 1e6:.0f} MB")
                return

    def _watch_resources(self) -> None:
        start = time.monotonic()
        limits = self.limits
        while self._process.poll() is None:
            if time.monotonic() - start > limits.seconds:
                return self._end(f"did not finish within {limits.seconds:.0f} s")
            try:
                inside = self._wall.processes(psutil.Process(self._process.pid))
                if self._wall.count(inside) > limits.processes:
                    return self._end(f"started more than {limits.processes} processes")
                if sum(map(_threads, inside)) > limits.threads:
                    return self._end(f"started more than {limits.threads} threads")
                # The first is never less, and found much faster.
                if all(sum(map(f, inside)) > limits.memory for f in (_resident, _memory)):
                    return self._end(f"took more than {limits.memory / 2**30:.1f} GB of memory")
            except psutil.NoSuchProcess:
                pass
            time.sleep(0.05)
        return None

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
        except (OSError, EOFError, WireError, ValueError, TypeError) as error:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.1)  # the watch may be about to say why
            if self._process.poll() is None:
                self._end(str(error) or "stopped answering")
            self.reason = self.reason or self._wall.died(self._process.returncode)
            raise Ended(self.reason) from None
        if kind == "raised":
            raise Raised(value)
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
        self._sandbox, self._names = sandbox, set(sandbox.ask("names", names))
        self.known: dict[str, Any] = {}
        """What is not asked for again."""

    def discard(self, name: str) -> None:
        """Leave a name out."""
        self._names.discard(name)

    def __getitem__(self, name: str) -> Any:
        return self.known[name] if name in self.known else self._sandbox.ask("get", name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Any:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
