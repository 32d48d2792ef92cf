"""A Ray cluster: found or made, and asked whether its nodes have what this process has."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from geodata.errors import GeodataError
from geodata.scale.agreeing import BatchFunction, WorkerMismatchError

TRIES = 10
"""How often a task that died with its worker is tried again."""

_ANSWER_S = 5.0
_MADE_HERE = "local"
_NOTED = "ray_current_cluster"
"""File in which ``ray start`` notes where it listens; it outlives a cluster that was killed."""


class RayClusterError(GeodataError, ValueError):
    """A Ray cluster that cannot be used: it is not there, or of another version."""


def connect(address: str | None) -> Any:
    """Return Ray, connected: to an address, or to a cluster of this machine that is made here.

    Without an address that of ``RAY_ADDRESS`` counts, as Ray has it. A cluster that somebody else
    started on this machine is joined by ``auto`` only.

    Raises
    ------
    ModuleNotFoundError
        If Ray is not installed.
    RayClusterError
        If nobody answers at the address, or a Ray of another version.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
    os.environ.setdefault("RAY_IGNORE_UNHANDLED_ERRORS", "1")  # the first one is raised
    import ray

    if ray.is_initialized():
        return ray
    address = address or os.environ.get("RAY_ADDRESS") or _MADE_HERE
    _refuse_dead(address)
    here: dict[str, Any] = {"include_dashboard": False} if address == _MADE_HERE else {}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except Exception as error:  # Ray raises bare ones, of a start that took too long
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        msg = (
            f"no Ray cluster at {address}: {reason}; ray status tells, and "
            f"driver and cluster need one version of Ray (here {ray.__version__}) and one token "
            "(RAY_AUTH_MODE, ray get-auth-token)"
        )
        raise RayClusterError(msg) from error
    return ray


def check_nodes(ray: Any, function: BatchFunction) -> None:
    """Ask every node whether it has what this process has, before any work.

    Raises
    ------
    WorkerMismatchError
        Naming the node and what differs.
    """
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    task = ray.remote(max_retries=TRIES)(_differences)
    nodes = [n for n in ray.nodes() if n["Alive"] and n["Resources"].get("CPU")]
    asked = [
        task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(function)
        for node in nodes
    ]
    for node, answer in zip(nodes, asked, strict=True):  # two of one machine have one address
        if told := got(ray, answer):
            msg = f"node {node['NodeManagerAddress']}: {told}"
            raise WorkerMismatchError(msg)


def _differences(function: BatchFunction) -> str:
    """Return what this worker has else than the driver, empty if nothing."""
    try:
        function.check()
    except (OSError, ValueError) as error:
        return str(error)
    return ""


def got(ray: Any, reference: Any) -> Any:
    """Return what a task made; an error of it is raised as it was raised there."""
    try:
        return ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        raise (cause if isinstance(cause, Exception) else error) from None


def results(ray: Any, references: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    """Yield tasks and what they made as they are done; after an error the others are cancelled.

    Without that they would go on, and Ray would print the error of each.
    """
    waiting = list(references)
    try:
        while waiting:
            (done,), waiting = ray.wait(waiting)
            yield done, got(ray, done)
    finally:
        for one in waiting:
            ray.cancel(one)


def _refuse_dead(address: str) -> None:
    """Refuse an address at which nobody listens; Ray itself would try for minutes."""
    if address == "auto":
        noted = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", _NOTED)
        address = noted.read_text().strip() if noted.is_file() else _MADE_HERE
    if address == _MADE_HERE:
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _ANSWER_S).close()
    except (OSError, ValueError) as error:
        msg = (
            f"nobody answers at the Ray address {address!r} ({error}); ray start --head prints the "
            "address of a cluster, such as 10.0.0.1:6379"
        )
        raise RayClusterError(msg) from error
