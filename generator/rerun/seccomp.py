"""The filter of system calls: what it takes away is memory that no limit counts, and ways out.

A limit on address space, on the size of a folder and on processes does not bound memory that lives
in a descriptor, in a System V segment or in a mapping that nobody has touched yet; and a new user
namespace would give the script file systems of its own, of any size. Sockets are closed a second
time by the namespace of the network.
"""

from __future__ import annotations

import errno
import platform
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from generator.errors import InputError
from generator.names import visible


class _Machine(NamedTuple):
    """What one kind of processor calls things."""

    audit: int
    """``AUDIT_ARCH_…`` of linux/audit.h."""
    column: int


_MACHINES: Final = {"x86_64": _Machine(0xC000003E, 0), "aarch64": _Machine(0xC00000B7, 1)}

REFUSED: Final = {
    # memory that is in no address space
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
    "mq_open": (240, 180),
    # namespaces, in which the script would have every capability
    "unshare": (272, 97),
    "setns": (308, 268),
    # sockets of any kind, and the memory in their queues
    "socket": (41, 198),
    "socketpair": (53, 199),
    # keys are not in a namespace, and may be those of whoever started lanebook
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    # parts of the kernel that no rehearsal needs
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
}
"""Name to number on x86_64 and aarch64, from asm/unistd_64.h and asm-generic/unistd.h."""

SPECIAL: Final = {"clone": (56, 220), "clone3": (435, 435), "mmap": (9, 222)}
"""The calls that are refused for some arguments only, or as if they did not exist."""

# CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_NEW_NAMESPACES = 0x7E020000
_SHARED_AND_ANONYMOUS = 0x01 | 0x20
_HUGE_PAGES = 0x40000

_LOAD, _JUMP_EQUAL, _JUMP_FROM, _JUMP_SET, _AND, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE = 0, 4
_X32 = 0x40000000


def _argument(index: int) -> int:
    """Return where the lower half of an argument stands; both machines are little-endian."""
    return 16 + 8 * index


def program(machine: str | None = None) -> bytes:
    """Return the filter as bwrap takes it, for this kind of processor.

    Raises:
        InputError: the numbers of its system calls are not known (``RERUN-NO-SANDBOX``).
    """
    name = platform.machine() if machine is None else machine
    found = _MACHINES.get(name)
    if found is None:
        raise InputError(
            f"no filter of system calls is known for {visible(name, 40)}; there is one for"
            f" {' and '.join(_MACHINES)}",
            code="RERUN-NO-SANDBOX",
        )
    return b"".join(struct.pack("=HBBI", *step) for step in _steps(found))


def _steps(machine: _Machine) -> Iterator[tuple[int, int, int, int]]:
    """Yield the instructions: operation, steps to skip if so, steps to skip if not, number."""
    refuse = (_RETURN, 0, 0, _ERROR | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    special = {name: numbers[machine.column] for name, numbers in SPECIAL.items()}
    yield _LOAD, 0, 0, _ARCHITECTURE
    # calls in another ABI have other numbers
    yield _JUMP_EQUAL, 1, 0, machine.audit
    yield _RETURN, 0, 0, _KILL
    yield _LOAD, 0, 0, _NUMBER
    yield _JUMP_FROM, 0, 1, _X32
    yield refuse
    for numbers in REFUSED.values():
        yield _JUMP_EQUAL, 0, 1, numbers[machine.column]
        yield refuse
    # its flags are in memory, where no filter looks; the C library then takes clone
    yield _JUMP_EQUAL, 0, 1, special["clone3"]
    yield _RETURN, 0, 0, _ERROR | errno.ENOSYS
    yield _JUMP_EQUAL, 0, 4, special["clone"]
    yield _LOAD, 0, 0, _argument(0)
    yield _JUMP_SET, 0, 1, _NEW_NAMESPACES
    yield refuse
    yield allow
    # shared memory that one process fills and another holds would be counted for neither
    yield _JUMP_EQUAL, 0, 7, special["mmap"]
    yield _LOAD, 0, 0, _argument(3)
    yield _JUMP_SET, 0, 1, _HUGE_PAGES
    yield refuse
    yield _AND, 0, 0, _SHARED_AND_ANONYMOUS
    yield _JUMP_EQUAL, 0, 1, _SHARED_AND_ANONYMOUS
    yield refuse
    yield allow
    yield allow
