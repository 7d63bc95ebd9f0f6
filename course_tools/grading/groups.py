"""Control groups: how the kernel itself limits what one submission may take.

A group counts every process and thread in it, and all memory that they use, also memory that
belongs to no process, such as files in a tmpfs, a memfd, or what the kernel keeps for them. No load
on the machine and no speed of an attack passes it. Groups are made in different ways:

- cgroups v1 with the controllers ``pids`` and ``memory``, as in many containers, for root;
- cgroups v2, in a subtree that is ours: root's, a container's own, or one that was delegated;
- cgroups v2 through systemd, as a scope of the user's session or, for root, of the system.

The first way was tried where there is one. The other two were tried with stand-ins only: files in
place of a control group's, and a script in place of ``systemd-run``.

Where none works, `find_groups` returns None; `launch.py` and the sandbox's watch then do what they
can.
See https://docs.kernel.org/admin-guide/cgroup-v2.html and the chapter *For instructors*.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from course_tools.grading.limits import Limits

NAME = "deep-music-grader"
NUMBERS = itertools.count()
UNSET = Path()


@dataclass
class Group:
    """The group of one submission."""

    name: str
    folders: dict[str, Path] = field(default_factory=dict)
    """By controller: the folder that stands for the group."""
    prefix: list[str] = field(default_factory=list)
    """What the command begins with, where something else puts it into the group."""

    @property
    def joined(self) -> list[str]:
        """Files that a process writes 0 into to enter the group."""
        return [] if self.prefix else sorted({f"{f}/cgroup.procs" for f in self.folders.values()})

    def find(self, pid: int) -> None:
        """Note where a group lies that somebody else made for the process `pid`."""
        if self.folders or not self.prefix:
            return
        with contextlib.suppress(OSError, StopIteration):
            lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
            path = next(line[3:] for line in lines if line.startswith("0::"))
            if self.name in path:
                self.folders = dict.fromkeys(("pids", "memory"), Path("/sys/fs/cgroup" + path))

    def exceeded(self, limits: Limits) -> str:
        """The limit that was met, as a reason, or nothing."""
        if _count(self.folders.get("pids", UNSET) / "pids.events", "max"):
            return limits.too_many
        memory = self.folders.get("memory", UNSET)
        if any(
            _count(memory / name, "oom_kill") for name in ("memory.events", "memory.oom_control")
        ):
            return limits.too_much
        return ""

    def kill(self) -> None:
        """End every process in the group."""
        for folder in set(self.folders.values()):
            _kill(folder)

    def end(self) -> None:
        """End every process in the group, and remove it."""
        until = time.monotonic() + 10
        for folder in set(self.folders.values()):
            while folder.exists() and time.monotonic() < until:
                _kill(folder)
                with contextlib.suppress(OSError):
                    folder.rmdir()
                    break
                time.sleep(0.01)


def _count(file: Path, key: str) -> int:
    with contextlib.suppress(OSError):
        for line in file.read_text().splitlines():
            name, _, number = line.partition(" ")
            if name == key:
                return int(number)
    return 0


def _kill(folder: Path) -> None:
    with contextlib.suppress(OSError):
        (folder / "cgroup.kill").write_text("1")  # cgroups v2, Linux 5.14
        return
    with contextlib.suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)


def _new_name() -> str:
    return f"{NAME}-{os.getpid()}-{next(NUMBERS)}"


def _own_folders() -> dict[str, Path]:
    """By controller, with "" for cgroups v2: the folder of the group that we are in."""
    mounts: dict[str, tuple[str, str]] = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ")[:3]
        root, place = left.split(" ")[3:5]
        if kind == "cgroup2":
            mounts[""] = root, place
        elif kind == "cgroup":
            mounts |= dict.fromkeys(options.split(","), (root, place))
    found = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):
            root, place = mounts.get(controller, ("", ""))
            inside = path.removeprefix(root.rstrip("/")).lstrip("/")
            if place and Path(place, inside).is_dir():
                found[controller] = Path(place, inside)
            elif place:  # a container that is shown its own group as the root
                found[controller] = Path(place)
    return found


def _version_1(limits: Limits) -> Group:
    own = _own_folders()
    group = Group(_new_name())
    try:
        for controller in ("pids", "memory", "cpu"):
            if controller not in own and controller == "cpu":
                continue  # with it, a busy neighbour takes no time away
            folder = own[controller] / group.name
            folder.mkdir()
            group.folders[controller] = folder
        (group.folders["pids"] / "pids.max").write_text(str(limits.tasks))
        memory = group.folders["memory"]
        (memory / "memory.limit_in_bytes").write_text(str(limits.memory))
        with contextlib.suppress(FileNotFoundError):  # where the kernel does not count swap
            (memory / "memory.memsw.limit_in_bytes").write_text(str(limits.memory))
        return group
    except (OSError, KeyError):
        group.end()
        raise


def _version_2(limits: Limits) -> Group:
    parent = _own_folders()[""]
    if parent.name == NAME:  # where `_open` has put us
        parent = parent.parent
    if not {"pids", "memory"} <= set((parent / "cgroup.subtree_control").read_text().split()):
        _open(parent)
    group = Group(_new_name())
    folder = parent / group.name
    folder.mkdir()
    group.folders = dict.fromkeys(("pids", "memory"), folder)
    try:
        (folder / "pids.max").write_text(str(limits.tasks))
        (folder / "memory.max").write_text(str(limits.memory))
        with contextlib.suppress(FileNotFoundError):
            (folder / "memory.swap.max").write_text("0")
        return group
    except OSError:
        group.end()
        raise


def _open(parent: Path) -> None:
    """Let children of `parent` have controllers: then it may hold no process itself."""
    control = parent / "cgroup.subtree_control"
    try:
        control.write_text("+pids +memory")
        return
    except OSError:
        if parent.parent != Path("/sys/fs") and not _ours_alone(parent):
            raise
    leaf = parent / NAME
    leaf.mkdir(exist_ok=True)
    for pid in (parent / "cgroup.procs").read_text().split():
        with contextlib.suppress(OSError):
            (leaf / "cgroup.procs").write_text(pid)
    control.write_text("+pids +memory")


def _ours_alone(parent: Path) -> bool:
    """Whether the group holds this process and its forebears alone, as a scope of its own does."""
    own = {os.getpid(), os.getppid()}
    return set(map(int, (parent / "cgroup.procs").read_text().split())) <= own


def _systemd(limits: Limits) -> Group:
    name = _new_name()
    prefix = [
        *("systemd-run", "--scope", "--quiet", "--collect", f"--unit={name}"),
        *(["--user"] if os.getuid() else []),
        *("-p", f"TasksMax={limits.tasks}", "-p", f"MemoryMax={limits.memory}"),
        *("-p", "MemorySwapMax=0", "--"),
    ]
    return Group(name, prefix=prefix)


def remove_left_over() -> None:
    """Remove groups of graders that were killed; one with processes in it stays."""
    with contextlib.suppress(OSError):
        for parent in set(_own_folders().values()):
            for folder in parent.glob(f"{NAME}-*-*"):
                pid = folder.name.split("-")[-2]
                if pid.isdecimal() and not os.path.exists(f"/proc/{pid}"):
                    folder.rmdir()  # fails where a grader of another container uses it


@cache
def find_groups() -> str | None:
    """The name of the way to get groups here, or None; each is tried."""
    for way, make in WAYS.items():
        try:
            group = make(Limits())
        except (OSError, KeyError):
            continue
        try:
            if not group.prefix:
                return way
            # systemd-run may be there without a systemd that answers.
            if shutil.which(group.prefix[0]) and _quiet([*group.prefix, "true"]):
                return way
        finally:
            group.end()
    return None


def _quiet(command: list[str]) -> bool:
    try:
        done = subprocess.run(command, capture_output=True, timeout=20, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


@contextmanager
def new_group(limits: Limits) -> Iterator[Group | None]:
    """A group for one submission, removed afterwards with all that is in it; None without any."""
    way = find_groups()
    if way is None:
        yield None
        return
    group = WAYS[way](limits)
    try:
        yield group
    finally:
        group.end()


WAYS = {"cgroups v1": _version_1, "cgroups v2": _version_2, "systemd": _systemd}
