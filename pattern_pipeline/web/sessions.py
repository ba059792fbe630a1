"""Sessions and form tokens: signed cookies, without anything stored on the server but the secret that signs them.

Who may sign in is in `reviewers`; what a request may do is decided in `services`.
"""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Final

from fastapi import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from pattern_pipeline.web.reviewers import Reviewer

COOKIE: Final = "pattern_pipeline_review"
LIFETIME_SECONDS: Final = 12 * 3600
_FILE_NAME: Final = "review_session_secret"
_FINGERPRINT: Final = 16


@dataclass(frozen=True)
class Session:
    """A browser, and who signed in with it.

    Attributes:
        key: Random; form tokens belong to it.
        name: The reviewer's; None before the login, and where there is none.
        fingerprint: The beginning of the token's hash, so that a new token ends the sessions of the old one.
    """

    key: str
    name: str | None = None
    fingerprint: str | None = None

    @classmethod
    def start(cls, reviewer: Reviewer | None = None) -> Session:
        """A session with a key of its own; signing in always starts a new one."""
        if reviewer is None:
            return cls(secrets.token_urlsafe(18))
        return cls(secrets.token_urlsafe(18), reviewer.name, reviewer.token_sha256[:_FINGERPRINT])

    def belongs_to(self, reviewer: Reviewer) -> bool:
        """Whether it was this reviewer, with the token of today, who signed in."""
        return self.name == reviewer.name and self.fingerprint == reviewer.token_sha256[:_FINGERPRINT]


class Sessions:
    """Reads and writes the cookie, and makes the tokens of forms."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._serializer = URLSafeTimedSerializer(secret, salt="session")

    def read(self, request: Request) -> Session | None:
        """The session of a request; None when it has none, or one that is forged or over."""
        try:
            data = self._serializer.loads(request.cookies.get(COOKIE, ""), max_age=LIFETIME_SECONDS)
            return Session(**data)
        except (BadSignature, TypeError):
            return None

    def write(self, response: Response, session: Session, *, secure: bool) -> None:
        """Set the cookie: not for scripts, not for requests that come from other sites."""
        data = {"key": session.key, "name": session.name, "fingerprint": session.fingerprint}
        response.set_cookie(
            COOKIE,
            str(self._serializer.dumps(data)),
            max_age=LIFETIME_SECONDS,
            httponly=True,
            samesite="strict",
            secure=secure,
        )

    def form_token(self, session: Session) -> str:
        """What every form of this session carries."""
        return hmac.new(self._secret, b"form:" + session.key.encode(), sha256).hexdigest()

    def is_form_token(self, session: Session, token: str) -> bool:
        """Whether a form came from a page of this session; in constant time."""
        return hmac.compare_digest(self.form_token(session).encode(), token.encode("utf-8", "replace"))


def session_secret(state_dir: Path) -> str:
    """The secret of this installation, made on first use and readable by its owner only."""
    path = state_dir / _FILE_NAME
    if not path.exists():
        state_dir.mkdir(parents=True, exist_ok=True)
        draft = state_dir / f"{_FILE_NAME}.{secrets.token_hex(8)}"
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(32))
        with suppress(FileExistsError):  # another process was first: its secret counts
            os.link(draft, path)
        draft.unlink()
    return path.read_text().strip()
