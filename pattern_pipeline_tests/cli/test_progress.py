"""What a long command shows while it works: a line on a terminal, nothing anywhere else."""

import os
import pty
import sys
from io import StringIO

import pytest

from pattern_pipeline.cli.progress import phases
from pattern_pipeline.history.requests import Progress

HALF = Progress("/data/runs [1].jsonl", sources_done=1, sources=3, rows_read=1200, bytes_done=500, bytes=1000)


def shown_on_terminal(monkeypatch: pytest.MonkeyPatch, *, as_json: bool) -> str:
    master, slave = pty.openpty()
    try:
        with os.fdopen(slave, "w") as terminal:
            monkeypatch.setattr(sys, "stderr", terminal)
            with phases(as_json) as shown:
                shown.announce("reading sources")
                shown.landed(HALF)
            terminal.write("end")
            terminal.flush()
            return os.read(master, 1 << 16).decode()
    finally:
        os.close(master)


def test_a_terminal_shows_what_is_read_how_far_and_how_fast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "120")
    shown = shown_on_terminal(monkeypatch, as_json=False)
    assert "runs [1].jsonl (1 of 3)" in shown
    assert "1,200 records" in shown
    assert "MB/s" in shown


def test_json_and_pipes_stay_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    assert shown_on_terminal(monkeypatch, as_json=True) == "end"
    monkeypatch.setattr(sys, "stderr", pipe := StringIO())
    with phases(as_json=False) as shown:
        shown.announce("reading sources")
        shown.landed(HALF)
    assert pipe.getvalue() == ""
