"""Ports that servers of ours are to listen on: whether something else is there already."""

from __future__ import annotations

import socket
from typing import Final

from pattern_pipeline.errors import Conflict

DAGSTER_PORT: Final = 3000
REVIEW_PORT: Final = 3001
LOOPBACK: Final = "127.0.0.1"


def is_taken(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could not listen there; a port that only still winds down can be had."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


def is_served(port: int, host: str = LOOPBACK) -> bool:
    """Whether something listens there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def refuse_taken(option: str, port: int, host: str = LOOPBACK) -> None:
    """Check that a server can listen there, before anything is started for it.

    Raises:
        Conflict: something else does, or may not.
    """
    if is_taken(port, host):
        raise Conflict(
            f"{option} {port}: {host}:{port} cannot be had, most likely because a program listens there. "
            f"Stop that one (perhaps an `up` or `review` of before), or name another port."
        )
