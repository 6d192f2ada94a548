"""Runs first in the sandbox's process: gives up network, files, privileges and resources, then becomes the user's program.

Executed as a script by ``python_sandbox`` with the limits as its one argument; everything it gives up stays given up across
``execve``. Linux only: user and network namespaces, Landlock (kernel 5.13+), seccomp and rlimits. It exits with code 97 and a
sentence when the kernel lacks one of them: a sandbox that half works is worse than none.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import struct
import sys

REFUSED = 97

_CLONE_NEWUSER, _CLONE_NEWNET, _CLONE_NEWIPC = 0x10000000, 0x40000000, 0x08000000
_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _SECCOMP_MODE_FILTER = 38, 22, 2
_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ, _READ_DIR, _EXECUTE, _WRITE = 1 << 2, 1 << 3, 1 << 0, 1 << 1
# Rights known to Landlock version 1, 2, 3 and 5; the kernel refuses a ruleset that names rights it does not know.
_RIGHTS_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}

_CLONE_THREAD, _EPERM, _ENOSYS = 0x10000, 1, 38
# Per machine: audit architecture, number of clone, then what is denied: socket connect bind ptrace mount unshare setns
# process_vm_readv process_vm_writev bpf perf_event_open keyctl io_uring_setup, and fork vfork where they exist.
_CALLS = {
    "x86_64": (0xC000003E, 56, (41, 42, 49, 101, 165, 272, 308, 310, 311, 321, 298, 250, 425, 57, 58)),
    "aarch64": (0xC00000B7, 220, (198, 203, 200, 117, 40, 97, 268, 270, 271, 280, 241, 219, 425)),
}
_CLONE3 = 435

libc = ctypes.CDLL(None, use_errno=True)


def confine(limits: dict[str, int], folder: str) -> None:
    """Give everything up that the program does not need; raises ``OSError`` where the kernel will not."""
    _leave_network()
    _call("prctl", libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
    _restrict_files(folder)
    _limit_resources(limits)
    _deny_calls()


def _leave_network() -> None:
    uid, gid = os.getuid(), os.getgid()
    _call("unshare", libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET | _CLONE_NEWIPC))
    for file, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open(f"/proc/self/{file}", "w") as stream:
            stream.write(text)


def _restrict_files(folder: str) -> None:
    version = _call("landlock", libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))
    every = _RIGHTS_OF_VERSION[max(known for known in _RIGHTS_OF_VERSION if known <= version)]
    attribute = ctypes.create_string_buffer(struct.pack("Q", every))
    ruleset = _call("landlock", libc.syscall(_LANDLOCK_CREATE, attribute, ctypes.c_size_t(8), 0))
    look = _READ | _READ_DIR | _EXECUTE
    for path in {sys.base_prefix, "/usr", "/lib", "/lib64"}:
        _allow(ruleset, path, look)
    for path in ("/etc/ld.so.cache", "/dev/urandom", "/usr/share/zoneinfo"):
        _allow(ruleset, path, _READ)
    _allow(ruleset, "/dev/null", _READ | _WRITE)
    _allow(ruleset, folder, every)
    _call("landlock", libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0))
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    if not os.path.exists(path):
        return
    if not os.path.isdir(path):
        rights &= _READ | _WRITE | _EXECUTE
    descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    rule = ctypes.create_string_buffer(struct.pack("=Qi", rights, descriptor))
    _call("landlock", libc.syscall(_LANDLOCK_ADD, ruleset, 1, rule, 0))
    os.close(descriptor)


def _limit_resources(limits: dict[str, int]) -> None:
    for name, value in (
        ("RLIMIT_CPU", limits["seconds"]),
        ("RLIMIT_AS", limits["memory"]),
        ("RLIMIT_FSIZE", limits["file_size"]),
        ("RLIMIT_NOFILE", 64),
        ("RLIMIT_CORE", 0),
    ):
        resource.setrlimit(getattr(resource, name), (value, value))


def _deny_calls() -> None:
    """No sockets, no new processes (threads are fine), no tracing; ``RLIMIT_NPROC`` would not bind a process started by root."""
    if platform.machine() not in _CALLS:
        raise OSError(0, f"no list of system calls for {platform.machine()}")
    architecture, clone, denied = _CALLS[platform.machine()]
    load, equal, any_bit, back = 0x20, 0x15, 0x45, 0x06
    refuse, kill, allow = 0x00050000, 0x00000000, 0x7FFF0000
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (back, 0, 0, kill), (load, 0, 0, 0)]
    for number in denied:
        program += [(equal, 0, 1, number), (back, 0, 0, refuse | _EPERM)]
    # clone3 hides its flags behind a pointer: "not implemented" makes the C library use clone, whose flags can be read.
    program += [(equal, 0, 1, _CLONE3), (back, 0, 0, refuse | _ENOSYS)]
    program += [(equal, 0, 3, clone), (load, 0, 0, 16), (any_bit, 1, 0, _CLONE_THREAD), (back, 0, 0, refuse | _EPERM)]
    program.append((back, 0, 0, allow))
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in program))
    filters = ctypes.create_string_buffer(struct.pack("HxxxxxxP", len(program), ctypes.addressof(code)))
    _call("seccomp", libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, filters, 0, 0))


def _call(what: str, result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


if __name__ == "__main__":
    try:
        confine(json.loads(sys.argv[1]), os.getcwd())
    except OSError as error:
        sys.stderr.write(f"this system cannot confine a process ({error.strerror})\n")
        sys.exit(REFUSED)
    # The base interpreter: the one of a virtual environment would look for its configuration outside the jail.
    python = os.path.realpath(getattr(sys, "_base_executable", sys.executable))
    os.execve(python, [python, "-I", "-B", "main.py"], {})
