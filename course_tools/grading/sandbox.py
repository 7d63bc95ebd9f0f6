"""A process that can't reach anything: bubblewrap around the worker, and a watch over it.

No network, own process tree, everything read-only but a small temporary folder, nothing of the
machine to be seen but Python and its packages. A watch in the grader ends it when it takes too
much time, memory, too many processes, or prints without end; then every process in it dies.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from course_tools.chapters import ROOT
from course_tools.grading.wire import WireError, decode, encode

WRAP = "bwrap"
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")


class NoSandbox(RuntimeError):
    """There is nothing here to run strangers' code in; the message says what to do."""


class Ended(RuntimeError):
    """The sandbox is gone; the message says why."""


class Raised(Exception):
    """The student's code raised; the message is its error's."""


@dataclass(frozen=True)
class Limits:
    """What a submission may take."""

    seconds: float = 240.0
    memory: int = 3 * 2**30
    """Bytes of all its processes together."""
    processes: int = 40
    output: int = 2_000_000
    """Bytes printed."""
    files: int = 100_000_000
    """Bytes in its temporary folder."""


def expect_sandbox() -> None:
    """Raise NoSandbox where bubblewrap is missing or may not work."""
    if shutil.which(WRAP) is None:
        raise NoSandbox(
            "bubblewrap is missing, and strangers' code should not run without it: `apt install "
            "bubblewrap` gets it; --unsafe does without, on a machine with nothing to lose."
        )
    probe = [WRAP, "--unshare-all", "--ro-bind", "/", "/", "true"]
    done = subprocess.run(probe, capture_output=True, text=True, check=False)
    if done.returncode:
        raise NoSandbox(f"bubblewrap does not work here: {done.stderr.strip()}")


def command(limits: Limits, arguments: list[str]) -> list[str]:
    """What starts the worker inside bubblewrap."""
    seen = [
        *SYSTEM,
        sys.prefix,
        sys.base_prefix,
        str(ROOT / "genre_lib"),
        str(ROOT / "course_tools"),
    ]
    binds = [part for path in seen if os.path.exists(path) for part in ("--ro-bind", path, path)]
    variables = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
    return [
        *(WRAP, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        *("--size", str(limits.files), "--tmpfs", "/tmp"),  # before what may lie under it
        *binds,
        *("--proc", "/proc", "--dev", "/dev", "--chdir", "/tmp"),
        *(part for item in (variables | _settings()).items() for part in ("--setenv", *item)),
        *arguments,
    ]


def _settings() -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GENRE_SONGS": "synthetic",  # no network to fetch others through, and none shown
        "IPYTHONDIR": "/tmp/.ipython",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


class Sandbox:
    """A running worker; a context manager that ends it."""

    def __init__(self, limits: Limits, unsafe: bool = False):
        self.limits, self.reason = limits, ""
        request_read, request_write = os.pipe()
        answer_read, answer_write = os.pipe()
        pipes = (request_read, answer_write)
        worker = [sys.executable, "-m", "course_tools.grading.worker", *map(str, pipes)]
        self._process = subprocess.Popen(
            worker if unsafe else command(limits, worker),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=pipes,
            cwd=None if unsafe else "/",
            env=os.environ | _settings() if unsafe else None,
            start_new_session=True,
        )
        for end in pipes:
            os.close(end)
        self._requests, self._answers = os.fdopen(request_write, "wb"), os.fdopen(answer_read, "rb")
        self.printed = 0
        for watch in (self._watch_output, self._watch_resources):
            threading.Thread(target=watch, daemon=True).start()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self._end("")
        for stream in (self._requests, self._answers, self._process.stdout):
            with contextlib.suppress(OSError):  # it may hold something for a process that is gone
                stream.close()

    def _end(self, reason: str) -> None:
        self.reason = self.reason or reason
        try:
            tree = [*psutil.Process(self._process.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            tree = []
        self._process.kill()  # takes its process tree along: the sandbox is a tree of its own
        for process in tree:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        self._process.wait()

    def _watch_output(self) -> None:
        while part := self._process.stdout.read1(65536):
            self.printed += len(part)
            if self.printed > self.limits.output:
                self._end(f"printed more than {self.limits.output / 1e6:.0f} MB")
                return

    def _watch_resources(self) -> None:
        start = time.monotonic()
        while self._process.poll() is None:
            if time.monotonic() - start > self.limits.seconds:
                return self._end(f"did not finish within {self.limits.seconds:.0f} s")
            try:
                tree = psutil.Process(self._process.pid).children(recursive=True)
                if len(tree) > self.limits.processes:
                    return self._end(f"started more than {self.limits.processes} processes")
                if sum(_memory(process) for process in tree) > self.limits.memory:
                    return self._end(
                        f"took more than {self.limits.memory / 2**30:.1f} GB of memory"
                    )
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
            time.sleep(0.1)  # the watch may be about to say why
            if self._process.poll() is None:
                self._end(str(error) or "stopped answering")
            self.reason = self.reason or "ended its own process"
            raise Ended(self.reason) from None
        if kind == "raised":
            raise Raised(value)
        return value


def _memory(process: psutil.Process) -> int:
    with contextlib.suppress(psutil.Error):
        return process.memory_full_info().uss  # its own: what forks share counts once
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

    def __getitem__(self, name: str) -> Any:
        return self._sandbox.ask("get", name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Any:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
