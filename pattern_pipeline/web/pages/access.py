"""Who looks at a page: the session of the browser, the way to the login, and the tokens of forms."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic import BaseModel

from pattern_pipeline.web.problems import Refused
from pattern_pipeline.web.reviewers import Person
from pattern_pipeline.web.services import only_reviewers, services
from pattern_pipeline.web.sessions import Session


class SignedForm(BaseModel):
    """A form of ours: it carries the token of the session that its page was made for."""

    form_token: str = ""


def session_of(request: Request) -> Session:
    """The browser's session; a new one for a browser that has none, the same for the whole request."""
    known = getattr(request.state, "session", None)
    if isinstance(known, Session):
        return known
    session = services(request).sessions.read(request) or Session.start()
    request.state.session = session
    return session


def looking(request: Request) -> Person:
    """Whoever looks at the page.

    Raises:
        Refused: Nobody is signed in; a browser is sent to the login and back.
    """
    person = services(request).who_is_signed_in(session_of(request))
    if person is None:
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        target = "/login?" + urlencode({"next": back if request.method == "GET" else "/"})
        raise Refused(303, "login_required", "Sign in first.", {"Location": target})
    return person


def check_form(request: Request, form: SignedForm) -> None:
    """Refuse a form that none of this session's pages has sent.

    Raises:
        Refused: Its token is missing or another one's.
    """
    if not services(request).sessions.is_form_token(session_of(request), form.form_token):
        raise Refused(403, "stale_form", "This form is not of your present session. Load the page again, then send it.")


def deciding(person: Annotated[Person, Depends(looking)]) -> Person:
    """Whoever decides on the page.

    Raises:
        Refused: Nobody is signed in, or only a viewer.
    """
    return only_reviewers(person)


Looking = Annotated[Person, Depends(looking)]
Deciding = Annotated[Person, Depends(deciding)]
