"""Starting the review: what it may bind to, and uvicorn."""

from __future__ import annotations

from typing import Final

import uvicorn

from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import Settings
from pattern_pipeline.warehouse.servers import held_server
from pattern_pipeline.web.app import create_app
from pattern_pipeline.web.guard import is_loopback

DEFAULT_HOST: Final = "127.0.0.1"
DEFAULT_PORT: Final = 3001


def serve(settings: Settings, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT) -> None:
    """Run the review until the process is told to end; the embedded database is kept running meanwhile.

    Raises:
        InvalidInput: The address can be reached by others and no reviewers are configured.
    """
    refuse_open_address(settings, host)
    with held_server(settings):
        uvicorn.run(create_app(settings), host=host, port=port, log_level="warning", server_header=False)


def refuse_open_address(settings: Settings, host: str) -> None:
    """Check that nobody can decide who did not show a token.

    Raises:
        InvalidInput: The address can be reached by others and no reviewers are configured.
    """
    if settings.reviewers is None and not is_loopback(host):
        raise InvalidInput(
            f"--host {host}: others could reach the review there and decide without a login. Make a token with"
            " `pattern-pipeline review token NAME`, put the entry that it prints into a file, name the file in"
            " PATTERN_PIPELINE_REVIEWERS, and start again."
        )
