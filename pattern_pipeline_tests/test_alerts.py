"""Alerts reach their webhook or say that they did not, and go nowhere else."""

import logging

import pytest
from pydantic import SecretStr

from pattern_pipeline.alerts import Alert, Undelivered, send
from pattern_pipeline.errors import InvalidInput
from pattern_pipeline.settings import get_settings
from pattern_pipeline_tests.webhooks import webhook

ALERT = Alert("run_failed", "Run 1 failed.", {"job": "pattern_chain"})
LOG = logging.getLogger(__name__)


def test_an_alert_arrives_although_the_webhook_stumbles() -> None:
    with webhook() as hook:
        hook.statuses = [503, 500]
        send(ALERT, SecretStr(hook.url), LOG)
        assert hook.received == [{"kind": "run_failed", "text": "Run 1 failed.", "job": "pattern_chain"}]
        assert len(hook.paths) == 3


def test_a_refused_alert_is_an_error_that_keeps_the_url_to_itself() -> None:
    with webhook() as hook:
        hook.statuses = [403]
        with pytest.raises(Undelivered, match="status 403") as refused:
            send(ALERT, SecretStr(hook.url), LOG)
    assert "hush-hush" not in str(refused.value)
    with pytest.raises(Undelivered) as unanswered:
        send(ALERT, SecretStr(hook.url), LOG)
    assert "hush-hush" not in str(unanswered.value)


def test_a_redirect_is_not_followed() -> None:
    with webhook() as hook:
        hook.statuses = [307]
        with pytest.raises(Undelivered, match="status 307"):
            send(ALERT, SecretStr(hook.url), LOG)
        assert [path.partition("?")[0] for path in hook.paths] == ["/hook"]


def test_without_a_webhook_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        send(ALERT, None, LOG)
    assert "Run 1 failed." in caplog.text


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "gopher://host", "https://", "somewhere"])
def test_only_http_urls_are_taken(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("PATTERN_PIPELINE_ALERT_URL", url)
    with pytest.raises(InvalidInput, match=r"PATTERN_PIPELINE_ALERT_URL: .*http"):
        get_settings()
