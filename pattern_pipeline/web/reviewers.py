"""Who may use the review: the file of reviewers, their tokens, and the limit on guessing them.

A token is 256 random bits that only its owner keeps; the file holds its SHA-256. How a request proves who it is from
is in `sessions`, what a role may do in `services`.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
import tomllib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pattern_pipeline.errors import InvalidInput

FAILURES_ALLOWED: Final = 5
FAILURES_SECONDS: Final = 60.0
_ADDRESSES_REMEMBERED: Final = 10_000


class Role(StrEnum):
    """What somebody may do: look, or decide as well."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"


@dataclass(frozen=True)
class Person:
    """Whoever makes a request.

    Attributes:
        name: As it stands in the history.
        role: What they may do.
        known_by: `token`, or `computer`: the operating system's user where no reviewers are configured.
    """

    name: str
    role: Role
    known_by: Literal["token", "computer"]


class Reviewer(BaseModel):
    """An entry of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f]*\S[^\x00-\x1f]*$", max_length=100)]
    role: Role = Role.REVIEWER
    token_sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]

    @property
    def person(self) -> Person:
        """Who this is, once the token was shown."""
        return Person(self.name, self.role, "token")


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    reviewers: tuple[Reviewer, ...] = Field(min_length=1)


def load_reviewers(path: Path) -> tuple[Reviewer, ...]:
    """The entries of a file of `[[reviewers]]` with name, role and token_sha256.

    Raises:
        InvalidInput: It cannot be read, names nobody, or names somebody twice; the message never quotes a hash.
    """
    try:
        found = _File.model_validate(tomllib.loads(path.expanduser().read_text(encoding="utf-8"))).reviewers
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InvalidInput(f"{path}: the file of reviewers cannot be read: {error}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput(
            f"{path}: {where}: {first['msg']}; `pattern-pipeline review token NAME` prints an entry"
        ) from error
    names = [entry.name for entry in found]
    if repeated := sorted({name for name in names if names.count(name) > 1}):
        raise InvalidInput(f"{path}: {repeated[0]!r} stands there twice; give each person one entry")
    return found


def new_token() -> str:
    """A token nobody can guess."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What the file keeps of a token. It needs no slow hash: there is no word in it that a dictionary would have."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def whose(token: str, reviewers: tuple[Reviewer, ...]) -> Reviewer | None:
    """The owner of a token. Every entry is compared, each in constant time, so that the time taken tells nothing."""
    shown, found = token_hash(token), None
    for entry in reviewers:
        if hmac.compare_digest(shown, entry.token_sha256):
            found = entry
    return found


class FailedLogins:
    """How often an address showed a wrong token of late. In memory: a restart forgives."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: dict[str, deque[float]] = {}

    def seconds_to_wait(self, address: str) -> float:
        """Until the address may try again; 0 when it may now."""
        with self._lock:
            recent = self._recent(address)
            if len(recent) < FAILURES_ALLOWED:
                return 0.0
            return recent[0] + FAILURES_SECONDS - self._clock()

    def note(self, address: str) -> None:
        """Remember a wrong token."""
        with self._lock:
            self._failures.setdefault(address, self._recent(address)).append(self._clock())
            while len(self._failures) > _ADDRESSES_REMEMBERED:
                self._failures.pop(next(iter(self._failures)))

    def _recent(self, address: str) -> deque[float]:
        """The failures that still count, under the lock; who never failed is not remembered."""
        failures = self._failures.get(address, deque(maxlen=FAILURES_ALLOWED))
        while failures and failures[0] + FAILURES_SECONDS <= self._clock():
            failures.popleft()
        return failures
