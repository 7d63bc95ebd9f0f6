"""What stands between a student's code and this machine: bubblewrap, Docker, or nothing.

No network, own process tree, everything read-only but small temporary folders, nothing of the
machine to be seen but Python and its packages, no rights. What may be taken is limited by the
kernel: see `groups.py` and `launch.py`.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

from course_tools.grading import groups
from course_tools.grading.groups import Group, new_group
from course_tools.grading.limits import Limits
from course_tools.notebooks.chapters import ROOT

WORKER = ("-m", "course_tools.grading.worker")
LAUNCH = Path(__file__).with_name("launch.py")
SYSTEM = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives")
IMAGE = "deep-music-grader"
DOCKERFILE = Path(__file__).with_name("Dockerfile")
NOBODY = "65534:65534"
# Ids that systemd gives to services for as long as they run; no person and no file has one.
USERS = range(61184, 65520)
OWN_TASKS = 3  # bubblewrap's, which a user's limit counts and the watch does not
SLACK = 15
"""Seconds after which the kernel ends what the watch should have ended."""
OLDEST = (0, 8)  # the first bubblewrap that can forbid user namespaces inside
NONE_HERE = "Students' code should run in a sandbox, and there is none here. "
ELSEWHERE = (
    " Or start Docker, then `docker build -t deep-music-grader -f course_tools/grading/Dockerfile "
    ".`. --unsafe does without, on a machine with nothing to lose."
)


class NoSandbox(RuntimeError):
    """There is nothing here to run students' code in; the message says what to do."""


@dataclass(frozen=True)
class Place:
    """What is made for one submission before its sandbox starts, and removed after it ended."""

    group: Group | None
    folder: str
    """An empty folder, to mount what the sandbox is shown in."""


def remove_left_over() -> None:
    """Remove what graders made that were killed."""
    groups.remove_left_over()
    for folder in Path(tempfile.gettempdir()).glob(f"{IMAGE}-*-*"):
        pid = folder.name.split("-")[-2]
        if pid.isdecimal() and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                folder.rmdir()  # somebody else's, or not empty: leave it


@contextlib.contextmanager
def new_place(limits: Limits) -> Iterator[Place]:
    """A place for one submission; afterwards nothing of it is left, nor of what ran in it."""
    name = f"{IMAGE}-{os.getpid()}-"
    with tempfile.TemporaryDirectory(prefix=name) as folder, new_group(limits) as group:
        os.chmod(folder, 0o711)  # root's sandbox runs as somebody else
        yield Place(group, folder)


class Unsandboxed:
    """``--unsafe``: the worker runs as one of our own processes."""

    def __init__(self, limits: Limits, place: Place):
        self.limits, self.group, self.folder = limits, place.group, place.folder

    def command(self) -> list[str]:
        """What starts the worker."""
        variables = [f"{key}={value}" for key, value in _settings().items()]
        return self.launched(["env", *variables, sys.executable, *WORKER])

    def launched(self, command: list[str], **plan: object) -> list[str]:
        """`command`, started by `launch.py`; `plan` is what it should do beside setting limits."""
        seconds = round(self.limits.seconds) + SLACK
        limits = {"RLIMIT_CPU": seconds, "RLIMIT_CORE": 0, "RLIMIT_FSIZE": self.limits.file_bytes}
        # Of each process; a network needs far more addresses than memory. The examiner, whose child
        # this is, has a smaller limit of its own.
        addresses = self.limits.memory + 4 * 2**30
        limits["RLIMIT_DATA"] = addresses
        if self.group is None:
            limits["RLIMIT_AS"] = addresses
            limits["RLIMIT_NOFILE"] = 512
            if plan.get("folder") and (os.getuid() == 0 or _kernel() >= (5, 14)):
                # Counted for a user in a namespace, and the launcher makes one of the two; before
                # Linux 5.14 for a user alone, whose other processes would count, too.
                limits["RLIMIT_NPROC"] = self.limits.tasks + OWN_TASKS
        nothing = dict.fromkeys(("folder", "options", "user", "environment")) | {
            "temporary": [],
            "shown": [],
        }
        joined = self.group.joined if self.group else []
        whole = nothing | plan | {"joined": joined, "limits": limits, "seconds": seconds}
        prefix = self.group.prefix if self.group else []
        program = shutil.which(command[0]) or command[0]
        launcher = [sys.executable, "-I", "-S", str(LAUNCH), json.dumps(whole)]
        return [*prefix, *launcher, program, *command[1:]]

    def processes(self, worker: psutil.Process) -> list[psutil.Process]:
        """The worker's processes, as far as they can be seen from here."""
        return [worker, *worker.children(recursive=True)]

    def end(self, process: subprocess.Popen) -> None:
        """End the worker that `process` started, with all that it started."""
        with contextlib.suppress(psutil.NoSuchProcess):
            for one in self.processes(psutil.Process(process.pid)):
                with contextlib.suppress(psutil.NoSuchProcess):
                    one.kill()
        if self.group:
            self.group.kill()  # those that have left their parents

    def died(self, code: int) -> str:
        """Why a worker that ended by itself did so."""
        return "ended its own process"


class Bubblewrap(Unsandboxed):
    """Linux namespaces, without a daemon and without rights."""

    def command(self) -> list[str]:
        """What starts the worker inside bubblewrap."""
        return self.wrapped([sys.executable, *WORKER])

    def wrapped(self, command: list[str]) -> list[str]:
        """`command` inside bubblewrap; nothing of it outlives its first process."""
        code = [str(ROOT / "genre_lib"), str(ROOT / "course_tools")]
        seen = [p for p in (*SYSTEM, sys.prefix, sys.base_prefix, *code) if os.path.exists(p)]
        home = {"PATH": f"{sys.prefix}/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8"}
        variables = home | _settings() | {"IPYTHONDIR": "/tmp/.ipython"}
        size = str(self.limits.file_bytes)
        temporary = {"/tmp": ("--size", size, "--tmpfs"), "/dev/shm": ("--size", size, "--tmpfs")}
        shown = {path: path for path in seen}
        plan: dict[str, object] = {"environment": {"PATH": "/usr/bin:/bin"}}
        if os.getuid() == 0 or self.group is None:
            # Where memory is not counted, files must be: bubblewrap itself can't.
            temporary = {
                path: ("--bind", f"{self.folder}/{path.rsplit('/', 1)[1]}") for path in temporary
            }
            options = f"size={size},nr_inodes={self.limits.file_count},mode=1777"
            plan |= {"folder": self.folder, "temporary": ["tmp", "shm"], "options": options}
        if os.getuid() == 0:
            # Root's capabilities would go with it. What root alone may enter is shown in a place
            # that everybody may.
            shown = {path: f"{self.folder}/{i}" for i, path in enumerate(seen)}
            plan |= {"shown": seen, "user": _free_user()}
        inside = [
            *("bwrap", "--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
            *("--new-session", "--die-with-parent", "--clearenv"),
            *(*temporary["/tmp"], "/tmp"),  # before what lies under it
            *(part for path, source in shown.items() for part in ("--ro-bind", source, path)),
            *("--proc", "/proc", "--dev", "/dev", *temporary["/dev/shm"], "/dev/shm"),
            *("--remount-ro", "/dev", "--remount-ro", "/"),  # else they fill the memory
            *("--chdir", "/tmp"),
            *(part for item in variables.items() for part in ("--setenv", *item)),
            *command,
        ]
        return self.launched(inside, **plan)

    def processes(self, worker: psutil.Process) -> list[psutil.Process]:
        """What runs inside, without bubblewrap itself."""
        return worker.children(recursive=True)

    def end(self, process: subprocess.Popen) -> None:
        """All processes of the namespace end with the first one."""
        process.kill()


class Docker(Unsandboxed):
    """A container of the image that the Dockerfile beside this file describes.

    Tried with a stand-in for Docker only.
    """

    def __init__(self, limits: Limits, place: Place):
        super().__init__(limits, place)
        self.name = f"{IMAGE}-{os.getpid()}-{id(self)}"

    def command(self) -> list[str]:
        """What starts the worker inside a container, which is removed when it ends."""
        binds = [
            f"type=bind,source={ROOT / name},target=/course/{name},readonly"
            for name in ("genre_lib", "course_tools")
        ]
        limits, seconds = self.limits, round(self.limits.seconds) + SLACK
        variables = _settings() | {"HOME": "/tmp", "PYTHONPATH": "/course"}
        options = f"rw,mode=1777,size={limits.file_bytes},nr_inodes={limits.file_count}"
        return [
            *("docker", "run", "--rm", "--interactive", "--name", self.name),
            *("--network", "none", "--read-only", "--workdir", "/tmp", "--user", NOBODY),
            *("--tmpfs", f"/tmp:{options}", "--shm-size", str(limits.file_bytes)),
            *("--memory", str(limits.memory), "--memory-swap", str(limits.memory)),
            *("--pids-limit", str(limits.tasks), "--oom-score-adj", "1000"),
            *("--ulimit", f"cpu={seconds}", "--ulimit", f"fsize={limits.file_bytes}"),
            *("--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
            *(part for bind in binds for part in ("--mount", bind)),
            *(part for item in variables.items() for part in ("--env", "=".join(item))),
            # Where the grader itself was killed, nobody else ends what does not end by itself.
            *(IMAGE, "timeout", "--signal=KILL", str(seconds), "python", *WORKER),
        ]

    def processes(self, worker: psutil.Process) -> list[psutil.Process]:
        """None: they are the daemon's, which sees to their memory and number."""
        return []

    def end(self, process: subprocess.Popen) -> None:
        """Remove the container with all that runs in it."""
        process.kill()
        _run(["docker", "rm", "--force", self.name])

    def died(self, code: int) -> str:
        """The daemon kills what takes too much memory."""
        return self.limits.too_much if code == 137 else super().died(code)


def find_wall(unsafe: bool = False) -> type[Unsandboxed]:
    """The best wall that works here: bubblewrap, else Docker, else none at all if `unsafe`.

    Raises:
        NoSandbox: neither works, and `unsafe` was not asked for; the message says why, and what
            would help.
    """
    if unsafe:
        return Unsandboxed
    fault = fault_of_bubblewrap()
    if not fault:
        return Bubblewrap
    if shutil.which("docker") and _run(["docker", "image", "inspect", IMAGE]).returncode == 0:
        return Docker
    raise NoSandbox(NONE_HERE + fault + ELSEWHERE)


def fault_of_bubblewrap() -> str:
    """Why bubblewrap can't be used here and what to do about it, or nothing; it is tried."""
    return _fault_of_bubblewrap(shutil.which("bwrap"))


@cache
def _fault_of_bubblewrap(program: str | None) -> str:
    if not sys.platform.startswith("linux"):
        return "bubblewrap exists for Linux alone."
    if program is None:
        return "On Debian or Ubuntu, `apt install bubblewrap` brings one."
    version = _run([program, "--version"]).stdout
    number = re.search(r"(\d+)\.(\d+)", version)
    if number is None or tuple(map(int, number.groups())) < OLDEST:
        return f"{version.strip() or program} is too old: version 0.8 or newer is needed."
    remove_left_over()
    limits = Limits(seconds=20)
    with new_place(limits) as place:
        done = _run(Bubblewrap(limits, place).wrapped([sys.executable, "-c", "import sys"]))
    return _why(done.stderr.strip()) if done.returncode else ""


def _why(said: str) -> str:
    """What keeps an installed bubblewrap from working; the machine is looked at, not guessed."""
    if _setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "bubblewrap is installed, but AppArmor forbids it user namespaces "
            "(kernel.apparmor_restrict_unprivileged_userns is 1, as Ubuntu sets it since 24.04). "
            "`sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0` allows them until the "
            "next start; the book's page for instructors shows a profile for bubblewrap alone."
        )
    for name, forbids in (
        ("user/max_user_namespaces", "0"),
        ("kernel/unprivileged_userns_clone", "0"),
    ):
        if _setting(name) == forbids:
            dotted = name.replace("/", ".")
            more = "1" if name.endswith("clone") else "10000"
            return (
                f"bubblewrap is installed, but user namespaces are forbidden here ({dotted} is "
                f"{forbids}). `sudo sysctl {dotted}={more}` allows them until the next start."
            )
    if "namespace" in said or "Operation not permitted" in said or "Permission denied" in said:
        return (
            "bubblewrap is installed, but may not make namespaces here, as in most containers "
            f"(it says: {_last_line(said)}). Grade outside of it, or in a virtual machine."
        )
    return f"bubblewrap is installed, but does not work here. It says: {_last_line(said)}."


def _last_line(text: str) -> str:
    return (text.splitlines() or ["nothing"])[-1].rstrip(".")


def _setting(name: str) -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys", name).read_text().strip()
    return ""


def _kernel() -> tuple[int, ...]:
    return tuple(map(int, re.findall(r"\d+", platform.release())[:2]))


def _free_user() -> int:
    """A user id that nothing on this machine runs under, for one submission."""
    taken = set()
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            taken.add(process.uids().real)
    free = [user for user in USERS if user not in taken]
    # Two graders at a time should not choose the same.
    return free[int.from_bytes(os.urandom(4), "big") % len(free)]


def _settings() -> dict[str, str]:
    return {
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "GENRE_SONGS": "synthetic",  # no network to fetch others through, and none shown
        "PYTHONDONTWRITEBYTECODE": "1",
        "PLOTLY_RENDERER": "plotly_mimetype",  # else it looks for a browser, and waits
        "PIP_NO_INDEX": "1",  # else it tries again and again
    }


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        return subprocess.CompletedProcess(command, 127, "", str(error))
