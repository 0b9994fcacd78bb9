"""The process around the sandbox: makes its folders, starts bwrap, watches it, ends it.

It is started as a script with nothing but the standard library, gives up every right that it does
not need, and then runs bubblewrap in namespaces of its own. The folders that the script writes to
are file systems of a fixed size in memory, which exist for this process only; they go with it,
however it ends. It is talked to over the socket that is its standard input: lengths and bytes.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import resource
import select
import signal
import socket
import struct
import sys
import time
from typing import Any, Final

STAGE: Final = "/tmp"  # noqa: S108 - every system has it; it is covered here, not written to
BOX: Final = f"{STAGE}/box"
"""Where the script's own folders are made: ``work`` and ``out``, under one limit."""
SHOWN: Final = f"{STAGE}/shown"
"""Where the files are put that the script may read."""

_LENGTH = struct.Struct("!Q")
_TICK = 0.02
_SETUP = 30.0
_LOWEST_FREE = 0.05
_PIECE = 65536

_CLONE_NEWNS, _CLONE_NEWUSER = 0x00020000, 0x10000000
_MS_NOSUID, _MS_NODEV, _MS_REC, _MS_PRIVATE = 0x2, 0x4, 0x4000, 0x40000
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE = 1, 4
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38

_LIBC = ctypes.CDLL(None, use_errno=True)


class Unable(Exception):
    """There can be no sandbox here, and why."""


# --- what is said over the socket; the other end uses these too ---


def send(channel: socket.socket, data: bytes) -> None:
    """Send one message."""
    channel.sendall(_LENGTH.pack(len(data)))
    channel.sendall(data)


def receive(channel: socket.socket) -> bytearray:
    """Receive one message.

    Raises:
        EOFError: the other end is gone.
    """
    (length,) = _LENGTH.unpack(_exactly(channel, _LENGTH.size))
    return _exactly(channel, length)


def _exactly(channel: socket.socket, length: int) -> bytearray:
    data = bytearray(length)
    view = memoryview(data)
    at = 0
    while at < length:
        size = channel.recv_into(view[at:])
        if not size:
            raise EOFError
        at += size
    return data


# --- rights and folders ---


def _called(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise Unable(f"{what}: {os.strerror(number)}")


def _control(option: int, value: int, what: str) -> None:
    _called(_LIBC.prctl(option, value, 0, 0, 0), what)


def _mount(source: str, target: str, kind: str, flags: int, options: str) -> None:
    _called(
        _LIBC.mount(
            source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()
        ),
        f"mount {target}",
    )


def _become_another() -> None:
    """Give up the rights of root for those of a user and group that nobody uses."""
    chosen = _unused_id()
    os.setgroups([])
    os.setresgid(chosen, chosen, chosen)
    os.setresuid(chosen, chosen, chosen)
    # else what /proc says about this process, the map of its user ids too, stays root's
    _control(_PR_SET_DUMPABLE, 1, "prctl")


def _unused_id() -> int:
    """Return a number that is mapped here and that neither a user nor a process has."""
    taken = set()
    for name in _processes():
        with contextlib.suppress(OSError):  # it has just ended
            taken.add(os.stat(f"/proc/{name}").st_uid)
    users, groups = _mapped("/proc/self/uid_map"), _mapped("/proc/self/gid_map")
    # two ranges that systemd's table of ids leaves to nobody
    for low, high in ((1879048192, 2147483648), (60001, 61184)):
        start = low + int.from_bytes(os.urandom(4), "big") % (high - low)
        for candidate in range(start, start + 100):
            if candidate in taken or candidate >= high:
                continue
            if not all(any(candidate in ids for ids in held) for held in (users, groups)):
                continue
            try:
                pwd.getpwuid(candidate)
            except KeyError:
                return candidate
    raise Unable("no user id is free for the script")


def _mapped(path: str) -> list[range]:
    found = []
    with open(path, encoding="ascii") as lines:
        for line in lines:
            inside, _, count = map(int, line.split())
            found.append(range(inside, inside + count))
    return found


def _processes() -> list[str]:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _enter_namespaces() -> None:
    """Leave the file systems of the machine for a copy in which this process may mount."""
    user, group = os.getuid(), os.getgid()
    _called(_LIBC.unshare(_CLONE_NEWUSER | _CLONE_NEWNS), "unshare")
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{user} {user} 1"),
        ("gid_map", f"{group} {group} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
            file.write(text)
    _mount("none", "/", "", _MS_REC | _MS_PRIVATE, "")


def _make_folders(order: dict[str, Any]) -> int:
    """Mount the folders, and return a descriptor of the one that the script writes to."""
    flags = _MS_NOSUID | _MS_NODEV
    _mount("none", STAGE, "tmpfs", flags, "size=64k,nr_inodes=16,mode=0755")
    for path, options in (
        (BOX, f"size={order['disk']},nr_inodes={order['inodes']},mode=0700"),
        (SHOWN, f"size={order['shown']},mode=0755"),
    ):
        os.mkdir(path)
        _mount("none", path, "tmpfs", flags, options)
    for path in (f"{BOX}/work", f"{BOX}/work/tmp", f"{BOX}/out"):
        os.mkdir(path, 0o700)
    return os.open(BOX, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def _receive_files(channel: socket.socket, paths: list[str]) -> None:
    for path in paths:
        target = f"{SHOWN}/{path}"
        os.makedirs(os.path.dirname(target), exist_ok=True)
        # copies keep the mode, and a copy is there to be run or written to
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755)
        with open(descriptor, "wb") as file:
            file.write(receive(channel))


# --- the run ---


class _Started:
    """A sandbox whose script waits for a word."""

    def __init__(self, order: dict[str, Any], filter_program: bytes) -> None:
        status, status_in = os.pipe()
        gate, self.gate = os.pipe()
        self.output, output_in = os.pipe()
        rules, rules_in = os.pipe()
        os.write(rules_in, filter_program)
        os.close(rules_in)
        inherited = (status_in, gate, rules)
        for descriptor in inherited:
            os.set_inheritable(descriptor, True)
        options = ["--json-status-fd", str(status_in), "--block-fd", str(gate)]
        if filter_program:
            options += ["--seccomp", str(rules)]
        try:
            self.pid = os.posix_spawn(
                order["bwrap"],
                ["bwrap", *order["arguments"], *options, "--", *order["command"]],
                {},
                file_actions=[
                    (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                    (os.POSIX_SPAWN_DUP2, output_in, 1),
                    (os.POSIX_SPAWN_DUP2, output_in, 2),
                ],
                # Python ignores some, and what is ignored stays so in the script
                setsigdef=signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP},
            )
        except OSError as error:
            raise Unable(f"{order['bwrap']}: {error.strerror}") from error
        for descriptor in (*inherited, output_in):
            os.close(descriptor)
        self.ended = os.pidfd_open(self.pid)
        self.status = status
        self._said = b""

    def first(self) -> int:
        """Return the number of the first process inside, as it is known out here."""
        end = time.monotonic() + _SETUP
        while b"\n" not in self._said:  # bwrap writes a line in pieces
            rest = max(0.0, end - time.monotonic())
            if self.status not in select.select([self.status, self.ended], [], [], rest)[0]:
                break
            piece = os.read(self.status, _PIECE)
            if not piece:
                break
            self._said += piece
        number = self._stated("child-pid")
        if number is None:
            raise Unable(self.complaint())
        return number

    def _stated(self, key: str) -> int | None:
        """Return a number that bwrap has stated, each on a line of its own."""
        for line in self._said.splitlines():
            with contextlib.suppress(ValueError):
                number = json.loads(line).get(key)
                if isinstance(number, int):
                    return number
        return None

    def over(self) -> bool:
        """Whether bwrap has ended."""
        return bool(select.select([self.ended], [], [], 0)[0])

    def complaint(self) -> str:
        """Return what bwrap said when it could not make the sandbox."""
        _end_all()
        os.set_blocking(self.output, False)
        with contextlib.suppress(BlockingIOError):
            said = os.read(self.output, _PIECE).decode("utf-8", "replace").strip()
            if said:
                return said.splitlines()[0]
        return "bwrap ended without a word"

    def exit_code(self) -> int | None:
        """Return the exit code of the script; none if it never began."""
        while piece := os.read(self.status, _PIECE):
            self._said += piece
        return self._stated("exit-code")


def _end_all() -> None:
    """End whatever is left of the sandbox, and return when all of it is gone.

    Whoever loses its parent becomes a child of this process, and the first process inside is gone
    only when all the others inside are.
    """
    me = str(os.getpid())
    while True:
        for name in _processes():
            with contextlib.suppress(OSError):
                with open(f"/proc/{name}/stat", encoding="utf-8", errors="replace") as file:
                    parent = file.read().rpartition(")")[2].split()[1]
                if parent == me:
                    os.kill(int(name), signal.SIGKILL)
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


class _Watch:
    """What the sandbox takes, looked at from outside, where the script cannot reach."""

    def __init__(self, started: _Started, pid: int, box: int, order: dict[str, Any]) -> None:
        self.box = box
        self.memory = order["memory"]
        self.page = os.sysconf("SC_PAGE_SIZE")
        self.proc = self._own_proc(started, pid)

    def _own_proc(self, started: _Started, pid: int) -> int:
        """Return the sandbox's own /proc, which lists its processes and no others."""
        outside = os.stat("/proc").st_dev
        end = time.monotonic() + _SETUP
        while time.monotonic() < end:
            if started.over():
                raise Unable(started.complaint())
            with contextlib.suppress(OSError):
                found = os.open(
                    f"/proc/{pid}/root/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
                )
                # until bwrap has turned to its own root this is the machine's
                if os.fstat(found).st_dev != outside:
                    return found
                os.close(found)
            time.sleep(0.001)
        raise Unable("the sandbox cannot be looked into")

    def over(self) -> str:
        """Return which limit is passed, or nothing."""
        room = os.fstatvfs(self.box)
        if not room.f_bavail:
            return "its folders are full"
        if not room.f_favail:
            return "its folders hold too many files"
        if self._private("statm") > self.memory and self._private("smaps_rollup") > self.memory:
            return "its processes take too much memory"
        if self._low():
            return "the machine has hardly any memory left"
        return ""

    def _private(self, name: str) -> int:
        """Add up what the processes hold; the cheap way counts pages that several share again."""
        total = 0
        for process in os.listdir(self.proc):
            if not process.isdigit():
                continue
            for source in dict.fromkeys((name, "statm")):
                try:
                    total += self._of_process(f"{process}/{source}")
                except (OSError, ValueError, IndexError):
                    continue  # it has ended, or hides what only it may read
                break
        return total

    def _of_process(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=self.proc)
        try:
            text = os.read(descriptor, _PIECE).decode("ascii", "replace")
        finally:
            os.close(descriptor)
        if path.endswith("statm"):
            fields = text.split()
            return (int(fields[1]) - int(fields[2])) * self.page
        return int(text.partition("Pss_Anon:")[2].split()[0]) * 1024

    @staticmethod
    def _low() -> bool:
        with open("/proc/meminfo", encoding="ascii") as lines:
            sizes = {line.partition(":")[0]: line.split()[1] for line in lines}
        return int(sizes["MemAvailable"]) < int(sizes["MemTotal"]) * _LOWEST_FREE


def _run(order: dict[str, Any], filter_program: bytes, box: int) -> tuple[dict[str, Any], bytes]:
    """Run the script to one of its ends; nothing of it is alive afterwards."""
    started = _Started(order, filter_program)
    pid = started.first()
    watch = _Watch(started, pid, box, order)
    for name, value in order["rlimits"].items():
        resource.prlimit(pid, getattr(resource, name), (value, value))
    os.setpriority(os.PRIO_PROCESS, pid, 10)
    os.write(started.gate, b"\n")
    os.close(started.gate)
    how, detail, tail, printed = "exit", "", bytearray(), 0
    waited_on = [started.ended, started.output]
    now = time.monotonic()
    deadline, tick = now + order["seconds"], now
    while True:
        ready = select.select(waited_on, [], [], max(0.0, min(tick, deadline) - now))[0]
        if started.output in ready:
            piece = os.read(started.output, _PIECE)
            printed += len(piece)
            tail += piece
            if not piece:
                waited_on.remove(started.output)
            elif len(tail) > 2 * order["kept"]:
                del tail[: -order["kept"]]
            if printed > order["printed"]:
                how, detail = "limit", "it prints too much"
                break
        now = time.monotonic()
        if now >= deadline:
            how = "timeout"
            break
        if now >= tick:
            detail = watch.over()
            if detail:
                how = "limit"
                break
            tick = time.monotonic() + _TICK
        if started.ended in ready:
            break
    _end_all()
    while len(tail) <= 2 * order["kept"] and (piece := os.read(started.output, _PIECE)):
        printed += len(piece)
        tail += piece
    code = started.exit_code()
    if how == "exit" and code is None:
        # bwrap itself was ended by something that is not ours
        how, detail = "limit", "the system ended it"
    if how == "exit" and (detail := watch.over()):
        how = "limit"
    report = {"how": how, "detail": detail, "exit_code": code, "printed": printed}
    return report, bytes(tail[-order["kept"] :])


def main() -> None:
    """Serve one order, then wait until the other end has read what is left in the folders."""
    channel = socket.socket(fileno=0)
    order = json.loads(receive(channel))
    try:
        if os.geteuid() == 0:
            _become_another()
        _enter_namespaces()
        _control(_PR_SET_NO_NEW_PRIVS, 1, "prctl")
        _control(_PR_SET_CHILD_SUBREAPER, 1, "prctl")
        # after the last change of rights, which takes it back
        _control(_PR_SET_PDEATHSIG, signal.SIGKILL, "prctl")
        if os.getppid() != order["parent"]:
            return
        with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")
        os.umask(0o022)
        box = _make_folders(order)
    except (Unable, OSError) as error:
        send(channel, json.dumps({"unable": str(error)}).encode())
        return
    send(channel, b"{}")
    socket.send_fds(channel, [b"\n"], [box])
    filter_program = bytes(receive(channel))
    try:
        _receive_files(channel, order["files"])
        report, tail = _run(order, filter_program, box)
    except (Unable, OSError) as error:
        _end_all()
        send(channel, json.dumps({"unable": str(error)}).encode())
        return
    send(channel, json.dumps(report).encode())
    send(channel, tail)
    channel.recv(1)


if __name__ == "__main__":
    with contextlib.suppress(EOFError):
        main()
    sys.exit(0)
