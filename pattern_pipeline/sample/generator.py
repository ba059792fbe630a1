"""Draws runs from the corpus: any number, any span of days, the same bytes for the same seed.

Only uniform numbers of one bit generator are drawn and everything else is computed from them, so that a seed means the
same runs on every machine. Nothing here writes a file or plants a fault: see ``files``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from pattern_pipeline.sample.corpus import Corpus, Model, Move, Prices, Project, Work, load_corpus

T = TypeVar("T")
Run = dict[str, Any]
Floats = NDArray[np.float64]

END: Final = datetime(2026, 10, 1, tzinfo=UTC)
"""Runs start in the days before this moment."""

_CHUNK: Final = 4096
_NORMAL_SUCCESS: Final = ("completed", "Submitted", "success")
_TAIL_SHARE: Final = 0.01


def generate_runs(n: int, days: int = 30, seed: int = 7, steps: bool = True) -> Iterator[Run]:
    """Yield ``n`` runs of the ``days`` days before `END`, in no order of time.

    Args:
        n: How many runs.
        days: How many whole days they spread over; office hours and weekdays have most of them.
        seed: The same seed yields the same runs, and a longer history begins with the shorter one.
        steps: Whether runs carry their tool calls (``steps``); without, each run is one flat row.

    Yields:
        One run each, with the keys of a generic JSON line. Times are ISO 8601 in UTC, money is USD, unknown is absent.
    """
    corpus = load_corpus()
    rng = np.random.default_rng(seed)
    starts = _StartTimes(corpus, days)
    for first in range(0, n, _CHUNK):
        draws = _Draws(rng)
        chosen = zip(
            _choose(rng.random(_CHUNK), [work.weight for work in corpus.works]),
            _choose(rng.random(_CHUNK), [project.weight for project in corpus.projects]),
            _choose(rng.random(_CHUNK), [model.weight for model in corpus.models]),
            starts.at(rng.random(_CHUNK), rng.random(_CHUNK)),
            _heavy_tail(rng.random(_CHUNK), rng.random(_CHUNK)).tolist(),
            strict=True,
        )
        for index, (work, project, model, start, scale) in enumerate(islice(chosen, n - first), start=first):
            run = _RunDraft(
                corpus, corpus.works[work], corpus.projects[project], corpus.models[model], start, scale, draws
            )
            yield run.finish(f"run-{seed}-{index:07d}", steps=steps)


def _choose(uniform: Floats, weights: Sequence[float]) -> list[int]:
    """Indices drawn by weight."""
    bounds = np.cumsum(weights)
    chosen = np.searchsorted(bounds, uniform * bounds[-1], side="right")
    return [int(index) for index in np.minimum(chosen, len(weights) - 1).tolist()]


def _heavy_tail(uniform: Floats, tail: Floats) -> Floats:
    """Log-normal factors around 1; one in a hundred is up to thirty times as large."""
    body = np.exp(0.45 * ndtri(np.clip(uniform, 1e-9, 1 - 1e-9)))
    return np.asarray(np.where(tail < _TAIL_SHARE, body * np.minimum(30.0, (tail / _TAIL_SHARE + 1e-9) ** -0.7), body))


class _StartTimes:
    """Start times, in seconds since 1970, by the week's and the day's rhythm."""

    def __init__(self, corpus: Corpus, days: int) -> None:
        self.first = END - timedelta(days=days)
        hours = np.array(corpus.hours_of_day)
        week = corpus.days_of_week
        self.weights = np.concatenate(
            [hours * week[(self.first + timedelta(days=day)).weekday()] for day in range(days)]
        ).tolist()

    def at(self, hour: Floats, within: Floats) -> list[float]:
        seconds = np.array(_choose(hour, self.weights)) * 3600.0 + within * 3600.0 + self.first.timestamp()
        return [float(second) for second in np.round(seconds, 3).tolist()]


class _Draws:
    """Uniform numbers, drawn in blocks and handed out one by one."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._numbers = self._endless(rng)

    @staticmethod
    def _endless(rng: np.random.Generator) -> Iterator[float]:
        while True:
            yield from rng.random(65_536).tolist()

    def uniform(self) -> float:
        return next(self._numbers)

    def happens(self, probability: float) -> bool:
        return next(self._numbers) < probability

    def between(self, low: int, high: int) -> int:
        return low + int(next(self._numbers) * (high - low + 1))

    def pick(self, options: Sequence[T]) -> T:
        return options[int(next(self._numbers) * len(options))]


class _RunDraft:
    """One run while it is being made up."""

    def __init__(
        self,
        corpus: Corpus,
        work: Work,
        project: Project,
        model: Model,
        start: float,
        scale: float,
        draws: _Draws,
    ) -> None:
        self.corpus, self.work, self.project, self.model, self.draws = corpus, work, project, model, draws
        self.scale = scale
        self.start = self.clock = start
        self.context = (40_000 + 160_000 * draws.uniform()) * scale
        self.tokens = _Tokens(0, 0, 0)
        self.steps: list[Run] = []
        self.slots = self._fill_slots()

    def _fill_slots(self) -> dict[str, str]:
        draws = self.draws
        slots = {name: draws.pick(values) for name, values in self.corpus.slots.items()}
        ticket = f"{self.project.name[:4].upper()}-{draws.between(100, 9999)}"
        line = draws.between(11, 480)
        return slots | {
            "backend": self.project.backend,
            "frontend": self.project.frontend,
            "ticket": ticket,
            "branch": f"{ticket.lower()}-{slots['module']}",
            "date": _iso(self.start)[:10],
            "small": str(draws.between(2, 9)),
            "line": str(line),
            "line2": str(line + draws.between(8, 60)),
        }

    def finish(self, run_id: str, *, steps: bool) -> Run:
        """The run as a row, with its tool calls when they are wanted and were recorded."""
        draws, work = self.draws, self.work
        if steps:
            self._make_moves()
            self._call(1)
        else:
            self._call(1 + sum(draws.between(fewest, most) for _, fewest, most in work.plan))
        failed = draws.happens(work.failure)
        recorded = steps and not draws.happens(work.flat)
        template = draws.pick(work.templates)
        run: Run = {
            "run_id": run_id,
            "session_id": f"session-{run_id[4:]}",
            "project": self.project.name,
            "model": self.model.name,
            "task_text": draws.pick(work.texts).format_map(self.slots),
            "status": "failed" if failed else draws.pick(_NORMAL_SUCCESS),
            "started_at": _iso(self.start),
            "ended_at": _iso(self.clock),
            "duration_s": round(self.clock - self.start, 3),
            "error_count": sum(step["returncode"] != 0 for step in self.steps),
            "retry_count": draws.between(0, 1) if failed else 0,
            "input_tokens": self.tokens.input,
            "output_tokens": self.tokens.output,
            "cache_read_tokens": self.tokens.cache_read,
        }
        if self.model.prices:
            run["cost_usd"] = _price(self.tokens, self.model.prices)
        if template:
            run["template"] = template
        if failed:
            run["error_message"] = (work.error or self.corpus.default_error).format_map(self.slots)
        if recorded:
            run["steps"] = self.steps
        return run

    def _make_moves(self) -> None:
        moves, draws, repair = self.corpus.moves, self.draws, self.work.repair
        for name, fewest, most in self.work.plan:
            if repair and name == repair.check and draws.happens(repair.probability):
                form = draws.pick(moves[name].forms)
                self._step(moves[name], form, returncode=1)
                self._step(moves["edit"], draws.pick(moves["edit"].forms))
                self._step(moves[name], form, returncode=0)
                continue
            for _ in range(draws.between(fewest, most)):
                self._step(moves[name], draws.pick(moves[name].forms))

    def _step(self, move: Move, form: str, returncode: int | None = None) -> None:
        draws = self.draws
        tokens = self._call(1)
        if returncode is None:
            returncode = 1 if draws.happens(move.failure) else 0
        argument = form.format_map(self.slots)
        step: Run = {
            "tool": move.tool,
            "tool_call_id": f"call-{len(self.steps):03d}",
            "timestamp": round(self.clock, 3),
            "returncode": returncode,
            "input_tokens": tokens.input,
            "output_tokens": tokens.output,
            "cache_read_tokens": tokens.cache_read,
        }
        if self.model.prices:
            step["call_cost_usd"] = _price(tokens, self.model.prices)
        if move.tool == "Bash":
            step["command"], step["cwd"] = argument, f"~/srv/{self.project.name}"
        else:
            step["tool_input"] = {"pattern" if move.tool == "Grep" else "file_path": argument}
        self.clock += move.seconds * (0.4 + 1.2 * draws.uniform())
        self.steps.append(step)

    def _call(self, calls: int) -> _Tokens:
        """Add so many model calls: each reads the whole context, which grows with what it learns and answers."""
        fresh = int(calls * (500 + 5_500 * self.draws.uniform() * self.scale))
        output = int(calls * (60 + 640 * self.draws.uniform()))
        cache_read = int(calls * self.context + (fresh + output) * (calls - 1) / 2)
        self.context += fresh + output
        self.clock += 2 * calls + output / 45
        self.tokens = _Tokens(
            self.tokens.input + fresh, self.tokens.output + output, self.tokens.cache_read + cache_read
        )
        return _Tokens(fresh, output, cache_read)


class _Tokens(NamedTuple):
    """Tokens of one or more model calls, in disjoint buckets."""

    input: int
    output: int
    cache_read: int


def _price(tokens: _Tokens, prices: Prices) -> float:
    """USD of so many tokens."""
    total = tokens.input * prices.input + tokens.output * prices.output + tokens.cache_read * prices.cache_read
    return round(total / 1_000_000, 8)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
