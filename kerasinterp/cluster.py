"""Training on several machines: which of them this is (`TF_CONFIG`), how they meet, and what they agree on."""

import contextlib
import dataclasses
import functools
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.compiler.xla.tsl.protobuf import coordination_config_pb2
from tensorflow.python.eager import context as tensorflow_context

from kerasinterp.errors import InputError

WAIT = "KERASINTERP_WAIT"  # seconds that a worker waits for the others
_WAIT = 600.0
_SILENT = 20.0  # seconds without a sign of life after which TensorFlow takes a worker for lost
_EXAMPLE = '{"cluster": {"worker": ["host-a:2222", "host-b:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclasses.dataclass(frozen=True)
class Cluster:
    """Several machines that train one model, each by the same command.

    Attributes:
        addresses: `host:port` of each worker, the chief's first.
        number: which of them this is; 0 is the chief, who alone writes.
        chief: whether the first is a job of its own in `TF_CONFIG`.
    """

    addresses: tuple[str, ...]
    number: int
    chief: bool = False

    @property
    def is_chief(self) -> bool:
        return self.number == 0

    @property
    def name(self) -> str:
        return f"worker {self.number} ({self.addresses[self.number]})"

    @classmethod
    def from_environment(cls) -> "Cluster | None":
        """What `TF_CONFIG` says; None without it, and for a single worker.

        Raises:
            InputError: it is no JSON, lacks the cluster or the task, or names a task outside the cluster.
        """
        text = os.environ.get("TF_CONFIG", "").strip()
        if not text:
            return None
        try:
            config = json.loads(text)
        except ValueError as error:
            raise InputError(f"TF_CONFIG is no JSON ({error}): give {_EXAMPLE}, say, or unset it.") from None
        jobs = config.get("cluster") if isinstance(config, dict) else None
        task = config.get("task") if isinstance(config, dict) else None
        for name, part in (("cluster", jobs), ("task", task)):
            if not isinstance(part, dict) or not part:
                raise InputError(f"TF_CONFIG has no {name}: give {_EXAMPLE}, say, or unset it.")
        if unknown := sorted(set(jobs) - {"chief", "worker"}):
            raise InputError(f"TF_CONFIG has a job {unknown[0]!r}: train with jobs `chief` and `worker` alone.")
        for job, addresses in jobs.items():
            good = isinstance(addresses, list) and addresses and all(map(_is_address, addresses))
            if not good:
                raise InputError(f'TF_CONFIG\'s {job} is a list of addresses, ["host-a:2222"] say, not {addresses!r}.')
        if len(jobs.get("chief", ())) > 1:
            raise InputError("TF_CONFIG has more than one chief: list the others as workers.")
        everybody = (*jobs.get("chief", ()), *jobs.get("worker", ()))
        if len(set(everybody)) < len(everybody):
            raise InputError("TF_CONFIG lists an address twice: each worker has one of its own.")
        kind, index = task.get("type"), task.get("index")
        index = int(index) if isinstance(index, str) and index.isdecimal() else index
        if kind not in jobs or type(index) is not int or not 0 <= index < len(jobs[kind]):
            count = ", ".join(f"{job} 0 to {len(addresses) - 1}" for job, addresses in jobs.items())
            raise InputError(f"TF_CONFIG's task is {kind} {index}, which is not in its cluster: that has {count}.")
        if len(everybody) == 1:
            return None
        return cls(everybody, index + (len(jobs.get("chief", ())) if kind == "worker" else 0), "chief" in jobs)

    @classmethod
    def none_for(cls, what: str) -> None:
        """Raises InputError if `TF_CONFIG` names several workers, of whom `what` makes no use."""
        if cls.from_environment():
            raise InputError(f"{what} trains on one machine, and TF_CONFIG names several workers: unset it.")

    # Meeting

    def join(self, about: dict[str, Any]) -> None:
        """Waits until all workers have come, and begin with the same.

        Args:
            about: what they must have in common, by the words for it.

        Raises:
            InputError: one did not come in time, or came with something else.
        """
        wait, port = _wait(), int(self.addresses[self.number].rpartition(":")[2])
        mine = {"number": self.number, "about": about}
        try:
            door = socket.create_server(("", port), backlog=len(self.addresses))
        except OSError as error:
            raise InputError(
                f"Port {port} of {self.name} cannot be used ({error.strerror}): name another in TF_CONFIG."
            ) from error
        with door:  # TensorFlow's own opens there later
            if self.is_chief:
                self._gather(door, mine, wait)
            else:
                self._report(mine, wait)

    def _gather(self, door: socket.socket, mine: dict, wait: float) -> None:
        ends, came = time.monotonic() + wait, {}
        with contextlib.ExitStack() as open_ones:
            while len(came) < len(self.addresses) - 1:
                door.settimeout(max(ends - time.monotonic(), 0.01))
                try:
                    line, _ = door.accept()
                    open_ones.enter_context(line)
                    line.settimeout(5.0)
                    told = json.loads(_line(line))
                    came[int(told["number"])] = line, told
                except TimeoutError:
                    if time.monotonic() >= ends:
                        break
                except (OSError, ValueError, KeyError, TypeError):  # no worker
                    continue
            answer = self._answer(mine, {number: told for number, (_, told) in came.items()}, wait)
            for line, _ in came.values():
                with contextlib.suppress(OSError):
                    line.sendall(json.dumps(answer).encode() + b"\n")
        if answer:
            raise InputError(answer)

    def _answer(self, mine: dict, told: dict[int, dict], wait: float) -> str:
        """Why training cannot begin; "" if it can."""
        if missing := [n for n in range(1, len(self.addresses)) if n not in told]:
            names = ", ".join(f"{n} ({self.addresses[n]})" for n in missing)
            return (
                f"Of {len(self.addresses)} workers these did not come within {wait:g} s: {names}; start the same "
                f"command on each machine, or wait longer by {WAIT}."
            )
        for number, other in sorted(told.items()):
            for what, value in mine["about"].items():
                if other.get("about", {}).get(what) != json.loads(json.dumps(value)):
                    return f"Worker {number} has another {what} than the chief: start the same command on each machine."
        return ""

    def _report(self, mine: dict, wait: float) -> None:
        host, _, port = self.addresses[0].rpartition(":")
        ends = time.monotonic() + wait
        while True:
            try:
                with socket.create_connection((host.strip("[]"), int(port)), timeout=5.0) as line:
                    line.sendall(json.dumps(mine).encode() + b"\n")
                    line.settimeout(max(ends - time.monotonic(), 0.0) + 10.0)  # the chief's own sentence comes first
                    answer = json.loads(_line(line))
                break
            except (OSError, ValueError) as error:  # not there yet
                if time.monotonic() >= ends:
                    raise InputError(
                        f"The chief ({self.addresses[0]}) did not come within {wait:g} s: start the same command on "
                        f"each machine, or wait longer by {WAIT}."
                    ) from error
                time.sleep(0.2)
        if answer:
            raise InputError(answer)

    @functools.cached_property
    def strategy(self) -> tf.distribute.Strategy:
        """The strategy over all devices of all workers, who have joined."""
        jobs = {"chief": 1, "worker": len(self.addresses) - 1} if self.chief else {"worker": len(self.addresses)}
        # As TensorFlow would, but for the times.
        tensorflow_context.context().configure_coordination_service(
            service_type="standalone",
            service_leader=f"/job:{'chief' if self.chief else 'worker'}/replica:0/task:0",
            cluster_register_timeout_in_ms=int(1000 * _wait()),
            heartbeat_timeout_in_ms=int(1000 * _SILENT),
            coordinated_jobs=[coordination_config_pb2.CoordinatedJob(name=k, num_tasks=n) for k, n in jobs.items()],
        )
        before = signal.getsignal(signal.SIGTERM)
        try:
            with self.all_present(), _within(_wait() + _SILENT, _LOST):
                return tf.distribute.MultiWorkerMirroredStrategy()
        finally:
            with contextlib.suppress(ValueError):  # not in the main thread
                signal.signal(signal.SIGTERM, before)  # TensorFlow would only note it

    # Agreeing

    @contextlib.contextmanager
    def all_present(self) -> Iterator[None]:
        """What TensorFlow raises when a worker is lost, as one sentence."""
        try:
            yield
        except _OF_LOSS as error:
            raise InputError(_LOST) from error
        except (tf.errors.InternalError, tf.errors.CancelledError, tf.errors.FailedPreconditionError) as error:
            if "ollective" not in str(error) and "oordination" not in str(error):
                raise
            raise InputError(_LOST) from error

    def from_chief(self, make: Callable[[], bytes]) -> bytes:
        """What `make` gives on the chief, on every worker.

        Raises:
            InputError: on all, if `make` raises it.
        """
        content = b""
        if self.is_chief:
            try:
                content = b"+" + make()
            except InputError as error:
                content = b"-" + str(error).encode()
        with self.all_present():
            whole = self._gathered(np.frombuffer(content + bytes(-len(content) % 4), np.int32)).tobytes()
            size = int(self._gathered(np.array([len(content)] if self.is_chief else [], np.int32))[0])
        if whole[:1] == b"-":
            raise InputError(whole[1:size].decode())
        return whole[1:size]

    def check_same(self, what: str, value: str) -> None:
        """Raises InputError if this worker has another value than the chief."""
        if self.from_chief(value.encode).decode() != value:
            raise InputError(f"{self.name} has other {what} than the chief: give both the same.")

    def anybody(self, flag: bool) -> bool:
        """Whether any worker says so."""
        strategy = self.strategy
        flags = strategy.experimental_distribute_values_from_function(lambda _: tf.constant(int(flag)))
        with self.all_present():
            return bool(strategy.reduce(tf.distribute.ReduceOp.SUM, flags, axis=None))

    def _gathered(self, values: np.ndarray) -> np.ndarray:
        """One after another, the numbers (n,) that each worker has."""
        strategy = self.strategy

        def of(context: tf.distribute.experimental.ValueContext) -> tf.Tensor:
            first = context.replica_id_in_sync_group % _local(strategy) == 0  # a worker speaks once
            return tf.constant(values if first else values[:0])

        return strategy.gather(strategy.experimental_distribute_values_from_function(of), axis=0).numpy()

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """Ends with all workers having come to its end; or, if one fails, with a sentence on each."""
        context = tensorflow_context.context()
        self.strategy  # noqa: B018 (it begins here)
        try:
            with self.all_present():
                yield
        except Exception as error:
            # Or the others would wait for it.
            with contextlib.suppress(Exception):
                context.report_error_to_cluster(tf.errors.UNAVAILABLE, f"{self.name}: {type(error).__name__}")
            raise
        self.anybody(False)

    # Sharing

    def share(self, batches: tf.data.Dataset) -> tf.distribute.DistributedDataset:
        """Of a dataset of whole batches what this worker's devices learn from: their rows of each."""
        local, everybody = _local(self.strategy), self.strategy.num_replicas_in_sync
        own = shares(batches, everybody, self.number * local, local)
        return self.strategy.distribute_datasets_from_function(lambda _: own)


def shares(batches: tf.data.Dataset, devices: int, first: int, count: int) -> tf.data.Dataset:
    """One after another, the shares of each batch that `count` devices of all have, from number `first` on."""

    def of(batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {key: tf.stack(tf.split(value, devices)[first : first + count]) for key, value in batch.items()}

    return batches.map(of).flat_map(tf.data.Dataset.from_tensor_slices)


_OF_LOSS = (tf.errors.UnavailableError, tf.errors.DeadlineExceededError, tf.errors.AbortedError)
_LOST = (
    "Another worker ended or cannot be reached, so training stopped: start the same command on each machine again with "
    "--resume."
)


@contextlib.contextmanager
def _within(seconds: float, said: str) -> Iterator[None]:
    """Ends the process, with what is said, if it takes longer.

    The first worker's TensorFlow waits without end, and lets no other thread of Python run: a process watches it.
    """
    if not hasattr(os, "fork"):  # Windows
        yield
        return
    watched, ends = os.getpid(), time.monotonic() + seconds
    if not (watcher := os.fork()):
        while os.getppid() == watched and time.monotonic() < ends:
            time.sleep(0.2)
        if os.getppid() == watched:
            os.write(2, f"kerasinterp: {said}\n".encode())
            os.kill(watched, signal.SIGKILL)
        os._exit(0)
    try:
        yield
    finally:
        os.kill(watcher, signal.SIGKILL)
        os.waitpid(watcher, 0)


def _local(strategy: tf.distribute.Strategy) -> int:
    return strategy.extended._num_devices_per_worker


def _wait() -> float:
    given = os.environ.get(WAIT, "").strip()
    try:
        seconds = float(given or _WAIT)
    except ValueError:
        seconds = 0.0
    if not 0.0 < seconds < 1e6:
        raise InputError(f"{WAIT} is a number of seconds above 0, not {given!r}.")
    return seconds


def _is_address(text: Any) -> bool:
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    return bool(host) and port.isdecimal() and 0 < int(port) < 2**16


def _line(line: socket.socket) -> str:
    """What comes up to the end of a line."""
    found = b""
    while not found.endswith(b"\n"):
        part = line.recv(1 << 16)
        if not part or len(found) > 1 << 24:
            raise OSError("the line was cut")
        found += part
    return found.decode()
