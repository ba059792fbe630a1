"""Signing in with a token, and out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from pattern_pipeline.web.fields import Text, Word
from pattern_pipeline.web.pages.access import SignedForm, check_form
from pattern_pipeline.web.pages.rendering import render
from pattern_pipeline.web.problems import Refused
from pattern_pipeline.web.services import ServicesOf, address_of
from pattern_pipeline.web.sessions import COOKIE, Session

router = APIRouter()


class LoginForm(SignedForm):
    """The token, and where the browser wanted to go."""

    token: Word = ""
    next: Text = "/"


@router.get("/login")
def ask(request: Request, services: ServicesOf, next: Annotated[Text, Query()] = "/") -> Response:
    """Ask for the token; where none is configured there is nothing to sign in to."""
    if not services.reviewers:
        return RedirectResponse("/", 303)
    return render(request, "login.html", next=next, problem=None)


@router.post("/login")
def sign_in(request: Request, services: ServicesOf, form: Annotated[LoginForm, Form()]) -> Response:
    """Start a session for the owner of the token."""
    check_form(request, form)
    try:
        reviewer = services.sign_in(form.token.strip(), address_of(request))
    except Refused as refused:
        response = render(request, "login.html", refused.status, next=form.next, problem=refused.detail)
        response.headers.update(refused.headers)
        return response
    response = RedirectResponse(_inside(form.next), 303)
    services.sessions.write(response, Session.start(reviewer), secure=request.url.scheme == "https")
    return response


@router.post("/logout")
def sign_out(request: Request, form: Annotated[SignedForm, Form()]) -> Response:
    """End the session of this browser."""
    check_form(request, form)
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _inside(address: str) -> str:
    """An address of this site; what a browser would read as another site becomes the list."""
    return address if address.startswith("/") and not address.startswith(("//", "/\\")) else "/"
