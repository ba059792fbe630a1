"""What every endpoint works with, and who may call it: the dependencies of the API and of the pages.

The rules of section "who may do what" are here, once: a program shows a bearer token, a browser has a session, and
where no reviewers are configured it is the operating system's user who decides.
"""

from __future__ import annotations

import getpass
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Final

from fastapi import Depends, Request

from pattern_pipeline.detection.policy import Policy
from pattern_pipeline.errors import NotFound
from pattern_pipeline.library.service import Library
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.database import Warehouse
from pattern_pipeline.web.problems import Refused
from pattern_pipeline.web.reviewers import FailedLogins, Person, Reviewer, Role, whose
from pattern_pipeline.web.sessions import Session, Sessions


@dataclass
class Services:
    """The application's state.

    Attributes:
        opened: The warehouse, once the application has started.
        reviewers: Empty: only this computer's user may use the review.
    """

    settings: Settings
    policy: Policy
    reviewers: tuple[Reviewer, ...]
    sessions: Sessions
    opened: Warehouse | None = None
    failed_logins: FailedLogins = field(default_factory=FailedLogins)

    @cached_property
    def library(self) -> Library:
        """The library's operations."""
        return Library(self.warehouse, self.policy)

    @property
    def warehouse(self) -> Warehouse:
        """The open warehouse."""
        if self.opened is None:
            raise RuntimeError("the application has not been started")
        return self.opened

    def sign_in(self, token: str, address: str) -> Reviewer:
        """The owner of a token.

        Raises:
            Refused: It is nobody's, or this address showed too many wrong ones.
        """
        wait = self.failed_logins.seconds_to_wait(address)
        if wait > 0:
            raise Refused(
                429,
                "too_many_attempts",
                "Too many wrong tokens; wait a minute and try again.",
                {"Retry-After": str(int(wait) + 1)},
            )
        found = whose(token, self.reviewers)
        if found is None:
            self.failed_logins.note(address)
            raise Refused(
                401, "wrong_token", "No reviewer has this token; check it, or ask for a new one.", _ASK_FOR_TOKEN
            )
        return found

    def who_is_signed_in(self, session: Session) -> Person | None:
        """Whoever a browser belongs to; None before the login."""
        if not self.reviewers:
            return computer_user()
        return next((entry.person for entry in self.reviewers if session.belongs_to(entry)), None)


_ASK_FOR_TOKEN: Final = {"WWW-Authenticate": 'Bearer realm="pattern-pipeline"'}


def computer_user() -> Person:
    """The operating system's user, who may do everything where nobody else is configured."""
    return Person(getpass.getuser(), Role.REVIEWER, "computer")


def services(request: Request) -> Services:
    """The application's state."""
    found = request.app.state.services
    assert isinstance(found, Services)
    return found


ServicesOf = Annotated[Services, Depends(services)]


def address_of(request: Request) -> str:
    """Where a request comes from; failed logins are counted by it."""
    return request.client.host if request.client else "unknown"


def caller(request: Request, available: ServicesOf) -> Person:
    """The owner of the request's bearer token, or this computer's user.

    Raises:
        Refused: Tokens are configured, and none or a wrong one was shown.
    """
    if not available.reviewers:
        return computer_user()
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused(401, "token_required", "Show your token: `Authorization: Bearer <token>`.", _ASK_FOR_TOKEN)
    return available.sign_in(token.strip(), address_of(request)).person


def calling_reviewer(person: Annotated[Person, Depends(caller)]) -> Person:
    """A caller who may decide.

    Raises:
        Refused: Only a viewer.
    """
    return only_reviewers(person)


def only_reviewers(person: Person) -> Person:
    """The person, if they may decide.

    Raises:
        Refused: Only a viewer.
    """
    if person.role is not Role.REVIEWER:
        raise Refused(403, "reviewers_only", f"{person.name} may look, but not decide: the role is viewer.")
    return person


def pattern_reference(pattern: str) -> str:
    """A pattern's signature or number from a path; what no database text can be is nobody's.

    Raises:
        NotFound: It cannot be one.
    """
    if "\x00" in pattern:
        raise NotFound("pattern: there is none of that signature or number")
    return pattern


Caller = Annotated[Person, Depends(caller)]
CallingReviewer = Annotated[Person, Depends(calling_reviewer)]
Reference = Annotated[str, Depends(pattern_reference)]
