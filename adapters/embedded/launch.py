"""Becomes a server program that stops when its parent does, as an ordinary user where the caller is root.

PostgreSQL refuses to run as root. A home below a folder that only root may enter (such as /root) would then be closed
to it; rather than open that folder to everybody, the server keeps the one capability to pass through it. Run as a
script by its path, with nothing but the standard library, because it starts before everything else and has to be quick:

    python launch.py <parent pid> <signal when the parent dies> <user id> <group id> program arguments...
"""

from __future__ import annotations

import ctypes
import os
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_SECUREBITS = 28
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def become_user(uid: int, gid: int) -> None:
    """Give up being root, but for passing through closed folders; without that capability if the system forbids it."""
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None
    if libc is not None:
        # Capabilities then outlive the change of user, and access(2), by which PostgreSQL looks for its own programs,
        # counts them. All but one are given up below.
        libc.prctl(_PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if libc is not None:
        bit = 1 << _CAP_DAC_OVERRIDE
        one, none = (_Sets * 2)(_Sets(bit, bit, bit)), (_Sets * 2)()
        header = ctypes.byref(_Header(_CAPABILITY_VERSION_3, 0))
        if libc.capset(header, one) == 0:
            libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)
        elif libc.capset(header, none) != 0:
            sys.exit("the rights of root cannot be given up here: run as an ordinary user")


def end_with_parent(parent: int, number: int) -> None:
    """Ask the kernel to send this process a signal when its parent is gone, for example killed with -9."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)
        if os.getppid() != parent:  # it went before the kernel was asked
            sys.exit(1)


def main(arguments: list[str]) -> None:
    """Replace this process by the program."""
    parent, number, uid, gid = map(int, arguments[:4])
    program = arguments[4:]
    if os.getuid() == 0 and uid != 0:
        become_user(uid, gid)
    if number:
        end_with_parent(parent, number)
    try:
        os.execv(program[0], program)  # noqa: S606 - the program is one of the embedded servers
    except PermissionError:
        sys.exit(
            f"user {os.getuid()} may not enter the folders above {program[0]}: install elsewhere or do not run as root"
        )


if __name__ == "__main__":
    main(sys.argv[1:])
