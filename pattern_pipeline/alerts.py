"""Alerts: what somebody should hear about although nobody looks, written to the log and posted to a webhook.

What is worth an alert is decided by the sensors.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from logging import Logger
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import urllib3
from pydantic import SecretStr

from pattern_pipeline.errors import PipelineError

# Four attempts within some ten seconds: a sensor's tick has a minute. A redirect is an answer like any other that is
# not a success: an alert goes to the host that was configured and to no other.
RETRIES: Final = urllib3.Retry(
    total=3, redirect=False, backoff_factor=0.5, status_forcelist=(429, 500, 502, 503, 504), allowed_methods=None
)
TIMEOUT: Final = urllib3.Timeout(connect=3, read=5)


class Undelivered(PipelineError):
    """The webhook did not take an alert; the log has it."""


@dataclass(frozen=True)
class Alert:
    """One alert.

    Attributes:
        kind: What happened, as a word for filters.
        text: What happened, as a sentence; chat services show this field.
        facts: Further fields of the message, without credentials.
    """

    kind: str
    text: str
    facts: Mapping[str, Any]


def send(alert: Alert, url: SecretStr | None, log: Logger) -> None:
    """Log an alert, and post it as JSON when there is a webhook.

    Raises:
        Undelivered: the webhook refused it or did not answer, retries included.
    """
    log.warning(alert.text)
    if url is None:
        return
    body = orjson.dumps({"kind": alert.kind, "text": alert.text, **alert.facts}, default=str)
    host = urlsplit(url.get_secret_value()).hostname
    try:
        answer = urllib3.request(
            "POST",
            url.get_secret_value(),
            body=body,
            headers={"Content-Type": "application/json"},
            redirect=False,
            retries=RETRIES,
            timeout=TIMEOUT,
        )
    except urllib3.exceptions.HTTPError as error:  # its text would repeat the URL, which is a secret of many services
        raise Undelivered(f"The webhook at {host} did not take the alert: {type(error).__name__}.") from None
    if not 200 <= answer.status < 300:
        raise Undelivered(f"The webhook at {host} refused the alert: status {answer.status}.")
