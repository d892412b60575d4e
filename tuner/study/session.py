"""Who is at work on a study: one session per process, alive as long as its process is."""

from __future__ import annotations

import os
import pathlib
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

BEAT = 10.0  # seconds between two signs of life
LEASE = 60.0  # seconds of silence after which a session of another machine (or system without /proc) counts as dead


def this_host() -> str:
    """Names the machine, its current boot and the process namespace: where all are equal, process ids mean the same."""
    parts = [socket.gethostname()]
    try:
        parts += [pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip(), os.readlink("/proc/self/ns/pid")]
    except OSError:
        parts.append("no /proc")
    return "|".join(parts)


def birth_of(pid: int) -> str | None:
    """When the process `pid` began, in ticks since boot; None where there is no such process, or it is dead and only not yet reaped."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


@dataclass
class Session:
    """One process at work on a study.

    A process id alone does not name a process, since ids are used again; with the time of its birth it does.
    """

    host: str = field(default_factory=this_host)
    pid: int = field(default_factory=os.getpid)
    birth: str | None = field(default_factory=lambda: birth_of(os.getpid()))
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    started: float = field(default_factory=time.time)
    seen: float = field(default_factory=time.time)
    closed: float | None = None

    def is_alive(self, now: float, host: str) -> bool:
        """Whether it may still deliver. On its own machine the process table tells at once; elsewhere silence does, after the lease."""
        if self.closed is not None:
            return False
        if self.host == host and self.birth is not None:
            return birth_of(self.pid) == self.birth
        return now - self.seen < LEASE

    def until(self, now: float, host: str) -> float:
        """When it ended: now, if it still lives."""
        if self.closed is not None:
            return self.closed
        return now if self.is_alive(now, host) else self.seen


def worked_seconds(sessions: list[Session], now: float, host: str) -> float:
    """Seconds in which at least one session was at work: the union of their times, so that parallel work counts once."""
    total, end = 0.0, 0.0
    for start, stop in sorted((s.started, s.until(now, host)) for s in sessions):
        total += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return total


class Heartbeat:
    """Calls `beat` every `BEAT` seconds from a thread of its own, so that a long training step does not look like death."""

    def __init__(self, beat: Callable[[], None]):
        self._beat, self._stop = beat, threading.Event()
        self._thread = threading.Thread(target=self._run, name="tuner-heartbeat", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.wait(BEAT):
            self._beat()

    def stop(self) -> None:
        """Ends the thread."""
        self._stop.set()
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout=BEAT)
