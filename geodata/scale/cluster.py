"""A Ray cluster: found or made, and asked whether its nodes have what this process has."""

from __future__ import annotations

import logging
import os
import socket
from typing import Any

from geodata.errors import GeodataError
from geodata.scale.agreeing import BatchFunction, WorkerMismatchError

TRIES = 10
"""How often a task that died with its worker is tried again."""

_ANSWER_S = 5.0


class RayClusterError(GeodataError, ValueError):
    """A Ray cluster that cannot be used: it is not there, or of another version."""


def connect(address: str | None) -> Any:
    """Return Ray, connected: to an address, or to a cluster of this machine that is made here.

    Raises
    ------
    ModuleNotFoundError
        If Ray is not installed.
    RayClusterError
        If nobody answers at the address, or a Ray of another version.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Ray would report to its makers
    import ray

    if ray.is_initialized():
        return ray
    _refuse_dead(address)
    here: dict[str, Any] = {} if address else {"include_dashboard": False}
    try:
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, **here)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        msg = (
            f"no Ray cluster at {address or 'this machine'}: {reason}; ray status tells, and "
            f"driver and cluster need one version of Ray (here {ray.__version__})"
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
    asked = {
        node["NodeManagerAddress"]: task.options(
            scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        ).remote(function)
        for node in nodes
    }
    for host, answer in asked.items():
        if told := got(ray, answer):
            msg = f"node {host}: {told}"
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


def _refuse_dead(address: str | None) -> None:
    """Refuse an address at which nobody listens; Ray itself would try for minutes."""
    if address is None or address in ("auto", "local"):
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
