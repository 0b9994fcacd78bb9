"""Work spread over forked processes, results in the order of the items.

Forking hands the items over without copying them through a pipe, and batches keep the price of a
task below that of hashing a small file. Where forking is not to be had, one process does it all.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pickle
import selectors
import struct
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from generator.errors import LanebookError, NoVerdictError

Item = TypeVar("Item")
Result = TypeVar("Result")

_FRAME = struct.Struct("<IQ")
_TICKET = struct.Struct("<I")
_PIPE = 1024 * 1024  # workers need not wait while this process is busy with something else
_MOST_BATCHES = 4096  # the tickets of all batches fit into a pipe's buffer


class WorkerError(RuntimeError):
    """The function raised in a worker what nobody foresaw; the text is the worker's traceback."""


class WorkerDiedError(NoVerdictError):
    """A worker process was ended from outside, by the system or by a person."""


def default_jobs() -> int:
    """Return how many processes may run at once here."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def batches(items: Sequence[Item], size: int) -> list[Sequence[Item]]:
    """Return items in batches, where handing each over would cost more than its work."""
    return [items[at : at + size] for at in range(0, len(items), size)]


def fork_map(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    jobs: int = 0,
    progress: Callable[[int], None] | None = None,
    meanwhile: Callable[[], None] | None = None,
    least: int = 8,
) -> list[Result]:
    """Return ``[function(item) for item in items]``, computed in up to ``jobs`` processes.

    Args:
        function: runs in a worker; its result must survive pickling.
        items: read by the workers from the memory they share with this process.
        jobs: 0 means one for each processor.
        progress: told how many more items are done, in this process.
        meanwhile: called once in this process, while the workers work.
        least: with fewer items than this, no process is forked.

    Raises:
        LanebookError, OSError: as the function raised them.
        WorkerError: the function raised anything else.
        WorkerDiedError: a worker was ended before its work was done.
    """
    jobs = min(jobs or default_jobs(), len(items))
    if jobs < 2 or len(items) < least or not _can_fork():
        results = []
        for item in items:
            results.append(function(item))
            if progress is not None:
                progress(1)
        if meanwhile is not None:
            meanwhile()
        return results
    size = max(1, min(8, len(items) // (jobs * 4)), -(-len(items) // _MOST_BATCHES))
    starts = range(0, len(items), size)
    tickets, ticket_source = os.pipe()
    for number in range(len(starts)):
        os.write(ticket_source, _TICKET.pack(number))
    os.close(ticket_source)
    workers: dict[int, int] = {}
    try:
        for _ in range(jobs):
            reader, writer = os.pipe()
            with suppress(OSError, AttributeError):
                fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, _PIPE)
            child = os.fork()
            if child == 0:
                os.close(reader)
                _work(function, items, starts, size, tickets, writer)
            os.close(writer)
            workers[reader] = child
        os.close(tickets)
        if meanwhile is not None:
            meanwhile()
        batches: dict[int, list[Result]] = _collect(workers, progress, size, len(items))
    finally:
        _end(workers)
    if len(batches) != len(starts):
        raise WorkerDiedError("a worker process was ended before its work was done")
    return [result for number in range(len(starts)) for result in batches[number]]


def _can_fork() -> bool:
    # a fork copies only this thread, and locks that others hold stay locked for ever
    return hasattr(os, "fork") and sys.platform == "linux" and threading.active_count() == 1


def _work(
    function: Callable[[Item], Result],
    items: Sequence[Item],
    starts: range,
    size: int,
    tickets: int,
    writer: int,
) -> None:
    """Take batches until there are none left; never returns."""
    status = 0
    # batches leave no cycles behind, and looking for them touches memory that is shared
    gc.disable()
    try:
        with os.fdopen(writer, "wb", buffering=0) as out:
            while ticket := os.read(tickets, _TICKET.size):
                (number,) = _TICKET.unpack(ticket)
                start = starts[number]
                try:
                    results = [function(item) for item in items[start : start + size]]
                    data = pickle.dumps(results, protocol=pickle.HIGHEST_PROTOCOL)
                except BaseException as error:
                    import traceback  # late: it is seldom needed, and takes its time

                    known = isinstance(error, LanebookError | OSError)
                    told = error if known else WorkerError(traceback.format_exc())
                    data = pickle.dumps(told)
                    number |= 1 << 31
                    status = 1
                _write_all(out.fileno(), _FRAME.pack(number, len(data)) + data)
                if status:
                    break
    except BaseException:
        status = 1
    finally:
        os._exit(status)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _collect(
    workers: dict[int, int], progress: Callable[[int], None] | None, size: int, total: int
) -> dict[int, list[Any]]:
    """Read the results of all batches until each worker has closed its end."""
    batches: dict[int, list[Any]] = {}
    pending = {reader: bytearray() for reader in workers}
    done = 0
    with selectors.DefaultSelector() as selector:
        for reader in workers:
            selector.register(reader, selectors.EVENT_READ)
        while selector.get_map():
            for key, _ in selector.select():
                buffer = pending[key.fd]
                data = os.read(key.fd, 1024 * 1024)
                if not data:
                    selector.unregister(key.fd)
                    continue
                buffer += data
                while len(buffer) >= _FRAME.size:
                    number, length = _FRAME.unpack_from(buffer)
                    if len(buffer) < _FRAME.size + length:
                        break
                    payload = bytes(buffer[_FRAME.size : _FRAME.size + length])
                    del buffer[: _FRAME.size + length]
                    results = pickle.loads(payload)  # noqa: S301 - what our own worker wrote
                    if number >> 31:
                        raise results
                    batches[number] = results
                    count = min(size, total - done)
                    done += count
                    if progress is not None:
                        progress(count)
    return batches


def _end(workers: dict[int, int]) -> None:
    """Close every pipe, and wait for every worker; one that still runs is told to stop."""
    for reader in workers:
        os.close(reader)
    for child in workers.values():
        with suppress(ChildProcessError):
            os.waitpid(child, 0)
