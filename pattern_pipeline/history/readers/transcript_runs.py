"""Lines of transcripts into runs: what followed each prompt, every API call and every tool call once.

A `Timeline` is fed lines in the order of time and keeps the runs that are still open. Where lines come from belongs to
`claude_code`, what one of them says to `transcript_lines`. How a run ended is told only by what was seen (a result, an
answer that concludes, a following prompt), never by what is missing: more lines of a run never make its outcome unknown
again, so that a version made of fewer lines cannot win over one made of more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from pattern_pipeline.history.pricing import UNCHARGED, PriceBook, Usage
from pattern_pipeline.history.readers.shares import shares
from pattern_pipeline.history.readers.transcript_lines import Call, Line, Result, ToolUse

_ACTIVE_SESSIONS: Final = 64

Rank = tuple[bool, str, int]


@dataclass(slots=True)
class Step:
    """A tool call and what came back."""

    use: ToolUse
    call: str | None
    request_id: str | None
    agent: str | None
    cwd: str | None
    called_at: str
    result: Result | None = None
    completed_at: str | None = None


@dataclass(slots=True)
class Run:
    """A prompt and what followed; `files` are those that hold a line of it."""

    run_id: str
    session: str
    prompt: Line | None
    first: Line
    start: str
    end: str = ""
    calls: dict[str, Call] = field(default_factory=dict)
    steps: dict[str, Step] = field(default_factory=dict)
    files: set[int] = field(default_factory=set)
    uuids: list[str] = field(default_factory=list)
    has_copies: bool = False
    is_over: bool = False
    outcome: str | None = None
    failure: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether the agent did nothing of its own here: a local command, or only copies of another run's lines."""
        did_nothing = not self.calls and not self.steps and self.outcome is None
        is_local = self.prompt is None or self.prompt.template is not None
        return did_nothing and (self.has_copies or is_local)

    @property
    def status(self) -> str | None:
        """`completed` or `failed` by the last thing known; None while nothing is."""
        return self.outcome or ("completed" if self.is_over and (self.calls or self.steps) else None)

    @property
    def rank(self) -> Rank:
        """Of several versions of a run the greatest counts, as everywhere in history."""
        return self.status is not None, self.end, len(self.steps)

    def add_call(self, call: Call) -> None:
        """Counts a line of an API call: of several the last with the most output tokens."""
        known = self.calls.get(call.key)
        if known is None:
            self.calls[call.key] = call
        elif call.usage.output >= known.usage.output:
            known.usage = call.usage


@dataclass(slots=True)
class _Session:
    """What is known of a session; its runs in the order of their start, and by id, those given away left out."""

    runs: list[Run] = field(default_factory=list)
    open: dict[str, Run] = field(default_factory=dict)
    seen: dict[str, Run] = field(default_factory=dict)
    steps: dict[str, tuple[Run, Step]] = field(default_factory=dict)
    agents: dict[str, Run] = field(default_factory=dict)
    tasks: dict[str, Run] = field(default_factory=dict)
    chains: dict[str, str] = field(default_factory=dict)


class Timeline:
    """Collects the runs of one or several sessions.

    Args:
        whole_sessions: A run is a session instead of a prompt.
    """

    def __init__(self, *, whole_sessions: bool = False) -> None:
        self._whole_sessions = whole_sessions
        self._sessions: dict[str, _Session] = {}
        self._owners: dict[str, str] = {}

    def add(self, line: Line, file: int = 0) -> None:
        """Adds a line of the file with this number; one that was seen before in its session changes nothing."""
        session = self._sessions.pop(line.session, None) or _Session()
        self._sessions[line.session] = session
        if line.uuid and line.uuid in session.seen:
            session.seen[line.uuid].files.add(file)
            return
        agent = _agent(session, line)
        run = self._run(session, line, agent)
        if run is None:
            return
        run.files.add(file)
        if line.uuid:
            session.seen[line.uuid] = run
            run.uuids.append(line.uuid)
        match line.kind:
            case "reply":
                if line.call:
                    line.call.file = file
                self._add_reply(session, run, line, agent)
            case "results":
                for result in line.results:
                    _add_result(session, line, result)
            case "interruption" if agent is None:
                run.outcome, run.failure = "failed", line.text
            case "ending":
                run.is_over = True
        if line.kind in ("reply", "results", "interruption"):
            run.end = max(run.end, line.moment)

    def finished(self) -> Iterator[Run]:
        """Gives away the runs to which an ordered source will hardly add: all but the last two of a session.

        Of sessions that rest while many others go on all runs are given away.
        """
        for session in self._sessions.values():
            while len(session.runs) > 2:
                yield self._released(session, session.runs.pop(0))
        for name in list(self._sessions)[:-_ACTIVE_SESSIONS]:
            yield from self._sessions.pop(name).runs

    def rest(self) -> Iterator[Run]:
        """Gives away all runs that are left."""
        for session in self._sessions.values():
            yield from session.runs
        self._sessions.clear()

    @property
    def resume(self) -> int:
        """Byte offset of the first line of the runs that were not given away."""
        return min((run.first.position for session in self._sessions.values() for run in session.runs), default=0)

    @property
    def open_runs(self) -> int:
        """Number of runs that were not given away."""
        return sum(len(session.runs) for session in self._sessions.values())

    def _run(self, session: _Session, line: Line, agent: str | None) -> Run | None:
        """The run of a line: a new one for a prompt, the task's for a sub-agent's line, else the session's last."""
        if agent is not None:
            if agent not in session.agents:
                task = session.tasks.get(line.text or "")
                session.agents[agent] = task or _at(session, line.moment) or self._started(session, line)
            return session.agents[agent]
        if line.kind == "prompt" and not (self._whole_sessions and session.runs):
            return self._started(session, line)
        if session.runs:
            if line.kind == "prompt" and session.runs[-1].prompt is None:
                session.runs[-1].prompt = line
            return session.runs[-1]
        return self._started(session, line) if line.kind in ("reply", "results") else None

    def _started(self, session: _Session, line: Line) -> Run:
        """A new run; what precedes the first known prompt of a session is a run that bears the session's id."""
        prompt = line if line.kind == "prompt" else None
        run_id = line.session
        if prompt and not self._whole_sessions:
            run_id = line.uuid or f"{line.session}@{line.moment}"
        if run_id in session.open:
            return session.open[run_id]
        if session.runs:
            session.runs[-1].is_over = True
        run = session.open[run_id] = Run(run_id, line.session, prompt, line, line.moment)
        session.runs.append(run)
        return run

    def _add_reply(self, session: _Session, run: Run, line: Line, agent: str | None) -> None:
        call = line.call if line.call and line.call.model != UNCHARGED else None
        if call:
            if self._owners.setdefault(call.key, run.run_id) != run.run_id:
                run.has_copies = True
                return
            run.add_call(call)
        for use in line.uses:
            if use.tool_use_id in run.steps:
                continue
            step = Step(
                use,
                call.key if call else None,
                call.request_id if call else None,
                agent,
                line.cwd,
                line.moment,
            )
            run.steps[use.tool_use_id] = step
            session.steps[use.tool_use_id] = run, step
            if use.task:
                session.tasks[use.task] = run
        if agent is None and line.text:
            run.outcome, run.failure = "failed", line.text
        elif agent is None and (line.concludes or (line.answers and run.outcome)):
            run.outcome, run.failure = "completed", None

    def _released(self, session: _Session, run: Run) -> Run:
        del session.open[run.run_id]
        for uuid in run.uuids:
            session.seen.pop(uuid, None)
        for tool_use_id in run.steps:
            session.steps.pop(tool_use_id, None)
        for known in (session.tasks, session.agents):
            for name in [name for name, its_run in known.items() if its_run is run]:
                del known[name]
        if not session.agents:
            session.chains.clear()
        return run


def price(run: Run, prices: PriceBook) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A run and its steps as records under canonical names, priced.

    A call's cost and tokens are shared evenly by the steps that it issued, the remainder on the last. The run's cost is
    that of all its calls, and unknown if that of one of them is.
    """
    costs = {key: prices.cost(call.model, call.usage, _day(call.moment[:10])) for key, call in run.calls.items()}
    total = sum((call.usage for call in run.calls.values()), Usage())
    priced = [cost for cost in costs.values() if cost is not None]
    models: Counter[str] = Counter()
    for call in run.calls.values():
        models[call.model or ""] += call.usage.total
    ordered = sorted(run.steps.values(), key=lambda step: step.called_at)
    errors = sum(step.result is not None and step.result.is_error for step in ordered)
    first, prompt = run.first, run.prompt
    record = {
        "workflow_id": run.run_id,
        "session_id": run.session,
        "nl_input": prompt and prompt.text,
        "workflow_template": prompt and prompt.template,
        "project": first.cwd,
        "model_used": (models.most_common(1)[0][0] or None) if models else None,
        "status": run.status,
        "start_time": run.start or None,
        "end_time": run.end or None,
        "error_message": run.failure,
        "error_count": errors if ordered else None,
        "estimated_cost_total": str(sum(priced, Decimal(0))) if run.calls and len(priced) == len(costs) else None,
        "api_calls": len(run.calls) or None,
        "git_branch": first.branch,
        "client_version": first.version,
        "models": sorted(models) if len(models) > 1 else None,
    }
    if run.calls:
        record |= {
            "input_tokens": total.input,
            "output_tokens": total.output,
            "cache_read_tokens": total.cache_read,
            "cache_write_tokens": total.cache_write,
            "cache_write_1h_tokens": total.cache_write_1h or None,
        }
    return record, _step_records(run, ordered, costs)


def _step_records(run: Run, steps: list[Step], costs: dict[str, Decimal | None]) -> list[dict[str, Any]]:
    issued = Counter(step.call for step in steps)
    given = {key: shares(call.usage, costs[key], issued[key]) for key, call in run.calls.items()}
    records = []
    for step in steps:
        result = step.result
        record: dict[str, Any] = {
            "tool_call_id": step.use.tool_use_id,
            "agent_id": step.agent,
            "tool_name": step.use.name,
            "tool_params": step.use.params,
            "command": step.use.command,
            "cwd": step.cwd,
            "called_at": step.called_at or None,
            "request_id": step.request_id,
        }
        if result is not None:
            record |= {
                "completed_at": step.completed_at or None,
                "is_error": result.is_error,
                "exit_code": result.exit_code,
                "duration_ms": result.duration_ms,
                "error_message": result.text if result.is_error else None,
                "output_excerpt": result.text,
            }
        if step.call is not None:
            share = next(given[step.call])
            record |= {"input_tokens": share.input, "output_tokens": share.output}
            if share.cost is not None:
                record["cost_usd"] = str(share.cost)
        records.append(record)
    return records


def _add_result(session: _Session, line: Line, result: Result) -> None:
    """Gives a result to its step, whose run may be an earlier one than the line's."""
    if result.tool_use_id not in session.steps:
        return
    its_run, step = session.steps[result.tool_use_id]
    if step.result is not None:
        return
    step.result, step.completed_at = result, line.moment
    its_run.end = max(its_run.end, line.moment)
    if result.agent_id and result.agent_id not in session.agents:
        session.agents[result.agent_id] = its_run
    if step.agent is None:
        its_run.outcome = "failed" if result.is_error else "completed"
        its_run.failure = result.text if result.is_error else None


def _agent(session: _Session, line: Line) -> str | None:
    """The sub-agent of a line; one without a name is called after the first line of its chain."""
    if not line.is_side:
        return None
    if line.agent:
        return line.agent
    root = session.chains.get(line.parent or "") or line.uuid or "side"
    if line.uuid:
        session.chains[line.uuid] = root
    return root


def _at(session: _Session, moment: str) -> Run | None:
    """The session's run at a moment."""
    for run in reversed(session.runs):
        if run.start <= moment:
            return run
    return session.runs[0] if session.runs else None


@lru_cache(maxsize=1_000)
def _day(day: str) -> date | None:
    try:
        return date.fromisoformat(day)
    except ValueError:
        return None
