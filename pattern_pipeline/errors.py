"""The errors a user may meet, each with the exit code of the command line.

Only errors whose message names the thing and says what to do belong here. Programming errors stay ordinary exceptions.
"""

from __future__ import annotations


class PipelineError(Exception):
    """A failure that a user can act upon; the message is a plain sentence without credentials."""

    exit_code: int = 1


class InvalidInput(PipelineError):
    """What the user gave cannot be used: an option, a file, a policy, a URL."""

    exit_code = 2


class NotFound(PipelineError):
    """The named thing does not exist."""

    exit_code = 3


class Conflict(PipelineError):
    """The request contradicts the present state, e.g. a decision upon stale evidence."""

    exit_code = 4


class DatabaseDown(PipelineError):
    """The database cannot be reached, started or used."""

    exit_code = 5


class SchemaTooNew(PipelineError):
    """The database was migrated by a newer version of this package."""

    exit_code = 5
