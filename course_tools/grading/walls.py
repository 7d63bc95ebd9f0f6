"""What stands between a student's code and this machine: bubblewrap, Docker, or nothing.

No network, own process tree, everything read-only but a small temporary folder, nothing of the
machine to be seen but Python and its packages.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import psutil

from course_tools.chapters import ROOT

WORKER = ("-m", "course_tools.grading.worker")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
IMAGE = "deep-music-grader"
DOCKERFILE = Path(__file__).with_name("Dockerfile")
NOBODY = "65534:65534"
HELP = (
    "Strangers' code should run in a sandbox, and there is none here. On Linux: `apt install "
    "bubblewrap`. Elsewhere: start Docker, then `docker build -t deep-music-grader -f "
    "course_tools/grading/Dockerfile .`. --unsafe does without, on a machine with nothing to lose."
)


class NoSandbox(RuntimeError):
    """There is nothing here to run strangers' code in; the message says what to do."""


@dataclass(frozen=True)
class Limits:
    """What a submission may take."""

    seconds: float = 240.0
    memory: int = 3 * 2**30
    """Bytes of all its processes together."""
    processes: int = 16
    threads: int = 200
    """Of all its processes together."""
    output: int = 2_000_000
    """Bytes printed."""
    files: int = 100_000_000
    """Bytes in its temporary folder."""


class Nothing:
    """``--unsafe``: the worker runs as one of our own processes."""

    def __init__(self, limits: Limits):
        self.limits = limits

    def command(self) -> list[str]:
        """What starts the worker."""
        variables = [f"{key}={value}" for key, value in _settings().items()]
        return ["env", *variables, sys.executable, *WORKER]

    def processes(self, worker: psutil.Process) -> list[psutil.Process]:
        """The worker's processes, as far as they can be seen from here."""
        return [worker, *worker.children(recursive=True)]

    def count(self, seen: list[psutil.Process]) -> int:
        """How many processes there are, of which `processes` saw some."""
        return len(seen)

    def end(self, process: subprocess.Popen) -> None:
        """End the worker that `process` started, with all that it started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in self.processes(psutil.Process(process.pid)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()

    def died(self, code: int) -> str:
        """Why a worker that ended by itself did so."""
        return "ended its own process"


class Bubblewrap(Nothing):
    """Linux namespaces, without a daemon and without rights."""

    def command(self) -> list[str]:
        """What starts the worker inside bubblewrap; nothing of it outlives its first process."""
        code = [str(ROOT / "genre_lib"), str(ROOT / "course_tools")]
        seen = [path for path in (*SYSTEM, sys.prefix, sys.base_prefix, *code) if _exists(path)]
        home = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
        variables = home | _settings() | {"IPYTHONDIR": "/tmp/.ipython"}
        return [
            # The grader goes first, however many processes there are.
            *(
                "nice",
                "-n",
                "10",
                "bwrap",
                "--unshare-all",
                "--die-with-parent",
                "--new-session",
                "--clearenv",
            ),
            *("--size", str(self.limits.files), "--tmpfs", "/tmp"),  # before what lies under it
            *(part for path in seen for part in ("--ro-bind", path, path)),
            *("--proc", "/proc", "--dev", "/dev"),
            *("--size", str(self.limits.files), "--tmpfs", "/dev/shm"),
            *("--remount-ro", "/dev", "--remount-ro", "/"),  # else they fill the memory
            *("--chdir", "/tmp"),
            *(part for item in variables.items() for part in ("--setenv", *item)),
            *(sys.executable, *WORKER, str(self.limits.threads)),
        ]

    def processes(self, worker: psutil.Process) -> list[psutil.Process]:
        """What runs inside, without bubblewrap itself."""
        return worker.children(recursive=True)

    def end(self, process: subprocess.Popen) -> None:
        """All processes of the namespace end with the first one."""
        process.kill()


class Docker(Nothing):
    """A container of the image that the Dockerfile beside this file describes."""

    def __init__(self, limits: Limits):
        super().__init__(limits)
        self.name = f"{IMAGE}-{os.getpid()}-{id(self)}"

    def command(self) -> list[str]:
        """What starts the worker inside a container, which is removed when it ends."""
        binds = [
            f"type=bind,source={ROOT / name},target=/course/{name},readonly"
            for name in ("genre_lib", "course_tools")
        ]
        memory = str(self.limits.memory)
        variables = _settings() | {"HOME": "/tmp", "PYTHONPATH": "/course"}
        return [
            *("docker", "run", "--rm", "--interactive", "--name", self.name),
            *("--network", "none", "--read-only", "--workdir", "/tmp", "--user", NOBODY),
            *("--tmpfs", f"/tmp:rw,mode=1777,size={self.limits.files}"),
            *("--memory", memory, "--memory-swap", memory),
            *("--pids-limit", str(self.limits.threads)),  # which counts processes, too
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *(part for bind in binds for part in ("--mount", bind)),
            *(part for item in variables.items() for part in ("--env", "=".join(item))),
            # Where the grader itself was killed, nobody else ends what does not end by itself.
            *(IMAGE, "timeout", "--signal=KILL", str(2 * self.limits.seconds), "python", *WORKER),
        ]

    def processes(self, worker: psutil.Process) -> list[psutil.Process]:
        """None: they are the daemon's, which sees to their memory."""
        return []

    def count(self, seen: list[psutil.Process]) -> int:
        """How many processes the container has."""
        return len(_run(["docker", "top", self.name, "-o", "pid"]).stdout.splitlines()) - 1

    def end(self, process: subprocess.Popen) -> None:
        """Remove the container with all that runs in it."""
        process.kill()
        _run(["docker", "rm", "--force", self.name])

    def died(self, code: int) -> str:
        """The daemon kills what takes too much memory."""
        if code == 137:
            return f"took more than {self.limits.memory / 2**30:.1f} GB of memory"
        return super().died(code)


def find_wall(unsafe: bool = False) -> type[Nothing]:
    """The best wall that works here: bubblewrap, else Docker, else none at all if `unsafe`.

    Raises:
        NoSandbox: neither works, and `unsafe` was not asked for.
    """
    if unsafe:
        return Nothing
    if shutil.which("bwrap") and _works("bwrap", "--unshare-all", "--ro-bind", "/", "/", "true"):
        return Bubblewrap
    if shutil.which("docker") and _works("docker", "image", "inspect", IMAGE):
        return Docker
    raise NoSandbox(HELP)


def _settings() -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GENRE_SONGS": "synthetic",  # no network to fetch others through, and none shown
        "PYTHONDONTWRITEBYTECODE": "1",
        "PLOTLY_RENDERER": "plotly_mimetype",  # else it looks for a browser, and waits
        "PIP_NO_INDEX": "1",  # else it tries again and again
    }


def _exists(path: str) -> bool:
    return os.path.exists(path)


def _works(*command: str) -> bool:
    return _run(list(command)).returncode == 0


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
