"""Give this process its limits, then become another program: ``launch.py PLAN COMMAND …``.

The plan is JSON. This file runs by itself, without the course and without site-packages, as the
user who grades. It does what must be done before bubblewrap starts: enter the control groups, be
the first that the kernel ends when memory runs out, set an alarm and limits, show folders that only
root may enter, and stop being root.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys

CLONE_NEWNS, CLONE_NEWUSER = 0x00020000, 0x10000000
MS_NOSUID, MS_NODEV, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 4096, 16384, 1 << 18
LIBC = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Raise the C library's error, where there was one."""
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """mount(2)."""
    given = (source.encode(), target.encode(), kind.encode(), flags, options.encode())
    check(LIBC.mount(*given), f"mounting {target}")


def own_mounts(private_user: bool) -> None:
    """Leave the machine's mounts to themselves; mount only for this process from now on."""
    if private_user:
        user, group = os.getuid(), os.getgid()
        check(LIBC.unshare(CLONE_NEWUSER | CLONE_NEWNS), "a user namespace")
        for file, text in [
            ("setgroups", "deny"),
            ("uid_map", f"{user} {user} 1"),
            ("gid_map", f"{group} {group} 1"),
        ]:
            with open(f"/proc/self/{file}", "w") as stream:
                stream.write(text)
    else:
        check(LIBC.unshare(CLONE_NEWNS), "a mount namespace")
    mount("none", "/", "", MS_REC | MS_PRIVATE)


def stage(folder: str, temporary: list[str], options: str, shown: list[str]) -> None:
    """Mount, in `folder`, a temporary folder for each name, and what is to be shown by number."""
    mount("tmpfs", folder, "tmpfs", MS_NOSUID | MS_NODEV, "size=64k,mode=755")
    for name in temporary:
        os.mkdir(f"{folder}/{name}")
        mount("tmpfs", f"{folder}/{name}", "tmpfs", MS_NOSUID | MS_NODEV, options)
    for i, path in enumerate(shown):
        target = f"{folder}/{i}"
        if os.path.isdir(path):
            os.mkdir(target)
        else:
            open(target, "w").close()
        mount(path, target, "", MS_BIND | MS_REC)


def main() -> None:
    """Follow the plan."""
    plan, command = json.loads(sys.argv[1]), sys.argv[2:]
    for file in plan["joined"]:
        with open(file, "w") as stream:
            stream.write("0")
    with open("/proc/self/oom_score_adj", "w") as stream:
        stream.write("1000")
    signal.alarm(plan["seconds"])  # outlives exec: the kernel ends what nobody watches any more
    if plan["folder"]:
        own_mounts(private_user=os.getuid() != 0)
        stage(plan["folder"], plan["temporary"], plan["options"], plan["shown"])
    # Here, for the number of processes is counted for a user in a namespace.
    for name, value in plan["limits"].items():
        _, hardest = resource.getrlimit(getattr(resource, name))
        value = value if hardest == resource.RLIM_INFINITY else min(value, hardest)
        resource.setrlimit(getattr(resource, name), (value, value))
    if plan["user"]:
        os.setgroups([])
        os.setresgid(*[plan["user"]] * 3)
        os.setresuid(*[plan["user"]] * 3)
    # No import any more: that user may not see this Python. Bubblewrap's first process keeps the
    # environment that it was started with, and a notebook can read it.
    if plan["environment"] is None:
        os.execv(command[0], command)
    os.execve(command[0], command, plan["environment"])


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"the sandbox can't be started: {error}")
