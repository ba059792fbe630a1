"""Spans and events of a trace or a session into runs.

A run is a trace: what one request to an agent set off. Its id is the trace's, which is unique in the world and on every
span, while the id of a conversation stands only on some of them and may come late; the conversation is the run's
session. Claude Code begins a trace for each prompt, so a run is a prompt here as in its transcripts; its id bears the
session's as well, since its spans may lie in the trace of a program that started it. Where it exports events without
traces, a run is a prompt by `prompt.id`, or what follows a prompt event in clients that write none.

Requests are counted once: where an agent's span repeats the usage of the requests below it, only these count, and a
request that is told of by a span and by an event is one.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pattern_pipeline.history.pricing import PriceBook, Usage
from pattern_pipeline.history.readers.otlp_events import Part
from pattern_pipeline.history.readers.shares import shares


@dataclass
class Run:
    """The parts of a run, in the order of time; `is_over`: another one of its session followed."""

    run_id: str
    parts: list[Part] = field(default_factory=list)
    is_over: bool = False

    @property
    def is_mine(self) -> bool:
        """Whether the file that is being read holds a part of it."""
        return any(part.is_mine for part in self.parts)


def runs_in(parts: Iterable[Part]) -> list[Run]:
    """The runs of a group in the order of their start."""
    runs: dict[str, Run] = {}
    for run_id, part in _assigned(_once(parts)):
        runs.setdefault(run_id, Run(run_id)).parts.append(part)
    ordered = sorted(runs.values(), key=lambda run: (run.parts[0].start, run.run_id))
    told = [run for run in ordered if any(part.kind != "link" for part in run.parts)]
    for run in told[:-1]:
        run.is_over = True
    return told


def records_of(run: Run, prices: PriceBook) -> tuple[dict[str, Any], list[dict[str, Any]], bool]:
    """A run and its steps as records under canonical names, and whether their costs are the sender's own.

    Costs that are not told are those of the price book. That of a run is unknown if that of one of its requests is.
    """
    tree = _Tree(run.parts)
    calls = _calls(run.parts, tree)
    steps = _steps(run.parts, tree)
    is_billed = bool(calls) and all(call.cost is not None for call in calls)
    costs = [_cost(call, prices) for call in calls]
    known = [cost for cost in costs if cost is not None]
    usages = [call.usage for call in calls if call.usage is not None]
    total = sum(usages, Usage())
    models: Counter[str] = Counter()
    for call in calls:
        models[call.model or ""] += call.usage.total if call.usage else 0
    status, failure = _status(run, tree, calls, steps)
    told = [part for part in run.parts if part.kind != "link"]
    outcomes = [step.outcome for step in steps if step.outcome is not None]
    record: dict[str, Any] = {
        "workflow_id": run.run_id,
        "session_id": _first(part.session for part in told),
        "nl_input": _first(part.text for part in told if part.kind in ("prompt", "agent", "call")),
        "project": _first(part.project for part in told),
        "model_used": (models.most_common(1)[0][0] or None) if models else None,
        "status": status,
        "start_time": _moment(min(part.start for part in told)),
        "end_time": _moment(max(part.end for part in told)),
        "error_message": failure,
        "error_count": sum(not outcome for outcome in outcomes) if outcomes else None,
        "api_calls": len(calls) or None,
        "agent_name": _first(part.name for part in told if part.kind == "agent"),
        "client_version": _first(part.version for part in told if part.is_claude),
        "trace_id": _first(part.trace for part in told),
        "models": sorted(models) if len(models) > 1 else None,
    }
    if usages:
        record |= {
            "input_tokens": total.input,
            "output_tokens": total.output,
            "cache_read_tokens": total.cache_read,
            "cache_write_tokens": total.cache_write,
        }
    if calls and len(known) == len(calls):
        record["actual_cost_total" if is_billed else "estimated_cost_total"] = str(sum(known, Decimal(0)))
    return record, _step_records(steps, calls, costs, is_billed=is_billed), is_billed


class _Tree:
    """The spans of a run by their parents."""

    def __init__(self, parts: Sequence[Part]) -> None:
        self.spans = {part.span: part for part in parts if part.is_span}
        self._repeated: set[str] = set()
        for part in parts:
            if part.usage is not None and part.is_span:
                for above in self.above(part):
                    if above.span in self._repeated:
                        break
                    self._repeated.add(above.span)

    def above(self, part: Part) -> Iterator[Part]:
        """The spans in which a part lies, the nearest first."""
        seen = {part.span}
        while part.parent in self.spans and part.parent not in seen:
            seen.add(part.parent)
            part = self.spans[part.parent]
            yield part

    def is_leaf(self, part: Part) -> bool:
        """Whether no span below it tells a usage, so that its own is no repetition."""
        return part.span not in self._repeated

    def agent(self, part: Part) -> str | None:
        """The sub-agent that a part belongs to: an agent that works inside another agent or a workflow."""
        if part.agent is not None:
            return part.agent
        agents = [above for above in self.above(part) if above.kind == "agent"]
        return (agents[0].name or agents[0].span) if len(agents) > 1 else None

    def tops(self) -> list[Part]:
        """The spans that lie in no other one that tells of the run."""
        told = [part for part in self.spans.values() if part.kind in ("agent", "call", "tool")]
        return [part for part in told if not any(above.kind != "link" for above in self.above(part))]


def _once(parts: Iterable[Part]) -> list[Part]:
    """The parts in the order of time, each once; of copies that differ the one that ended last."""
    found: dict[tuple[object, ...], Part] = {}
    for part in parts:
        known = found.get(part.identity)
        if known is None:
            found[part.identity] = part
        else:
            last = max(known, part, key=lambda each: (each.end, _content(each)))
            found[part.identity] = replace(last, is_mine=known.is_mine or part.is_mine)
    return sorted(
        found.values(),
        key=lambda part: (part.start, part.sequence, part.span, part.kind, part.key or "", part.name or ""),
    )


def _content(part: Part) -> str:
    return repr(replace(part, is_mine=False, position=(0, 0)))


def _assigned(parts: Sequence[Part]) -> Iterator[tuple[str, Part]]:
    """Each part with the id of its run."""
    traces: dict[str, str] = {}
    for part in parts:
        if part.prompt and part.trace:
            traces.setdefault(part.prompt, part.trace)
    unnamed = ""
    for part in parts:
        if not (part.is_claude and part.session):
            yield part.trace, part
            continue
        if part.kind == "prompt" and not (part.trace or part.prompt):
            unnamed = f":{part.start}"
        name = part.trace or traces.get(part.prompt or "") or part.prompt
        yield f"{part.session}:{name}" if name else f"{part.session}{unnamed}", part


def _calls(parts: Sequence[Part], tree: _Tree) -> list[Part]:
    """The requests to models in the order of time, each once."""
    calls: dict[str, Part] = {}
    places: Counter[tuple[object, ...]] = Counter()
    for part in parts:
        is_request = part.kind == "call" and (part.usage is not None or part.outcome is not False)
        if not (is_request or (part.kind == "agent" and part.usage is not None)) or not tree.is_leaf(part):
            continue
        key = part.key
        if key is None:
            # What has no id is told from others by its tokens; the second span of a kind is the second event of it.
            places[part.usage, part.is_span] += 1
            key = f"{part.usage} {places[part.usage, part.is_span]}"
        known = calls.get(key)
        calls[key] = replace(part, agent=tree.agent(part)) if known is None else _joined(known, part)
    return sorted(calls.values(), key=lambda call: call.start)


def _joined(known: Part, part: Part) -> Part:
    """One request of which two records tell: of its tokens the greater output counts."""
    usages = [each.usage for each in (known, part) if each.usage is not None]
    return replace(
        known,
        start=min(known.start, part.start),
        usage=max(usages, key=lambda usage: (usage.output, usage.total)) if usages else None,
        cost=part.cost if known.cost is None else known.cost,
        model=known.model or part.model,
    )


def _cost(call: Part, prices: PriceBook) -> Decimal | None:
    if call.cost is not None or call.usage is None:
        return call.cost
    return prices.cost(call.model, call.usage, datetime.fromtimestamp(call.start // 1_000_000, UTC).date())


def _steps(parts: Sequence[Part], tree: _Tree) -> list[Part]:
    """The tool calls in the order of time, each once: what its span, its result and its event tell."""
    steps: dict[str, Part] = {}
    for part in parts:
        if part.kind != "tool" or _is_repeated(part, tree):
            continue
        key = part.key or part.span or f"{part.start}:{part.sequence}"
        own = replace(part, key=key, agent=tree.agent(part))
        steps[key] = own if key not in steps else _completed(steps[key], own)
    by_span = {part.span: part.key or part.span for part in parts if part.kind == "tool" and part.is_span}
    for part in parts:
        key = part.key or by_span.get(part.parent, "")
        if part.kind == "result" and key in steps:
            told = replace(part, start=steps[key].start, end=steps[key].end)
            steps[key] = _completed(steps[key], told)
    return sorted(steps.values(), key=lambda step: (step.start, step.key or ""))


def _is_repeated(part: Part, tree: _Tree) -> bool:
    """Whether a span tells of the call in which it lies, as a protocol's span below an agent's does."""
    above = tree.spans.get(part.parent)
    return above is not None and above.kind == "tool" and above.name == part.name and part.key in (None, above.key)


def _completed(known: Part, part: Part) -> Part:
    """A tool call with what another record tells of it; a failure that one of them saw is one."""
    span, other = (known, part) if known.is_span or not part.is_span else (part, known)
    outcomes = {each.outcome for each in (span, other)} - {None}
    return replace(
        span,
        start=min(span.start, other.start) if not span.is_span else span.start,
        name=span.name or other.name,
        agent=span.agent or other.agent,
        outcome=False if False in outcomes else True if outcomes else None,
        error=span.error or other.error,
        text=span.text or other.text,
        params=other.params if span.command is None and other.command else span.params or other.params,
        command=span.command or other.command,
    )


def _status(run: Run, tree: _Tree, calls: Sequence[Part], steps: Sequence[Part]) -> tuple[str | None, str | None]:
    """How the run ended by what was seen of it, and in what words it failed; more parts never make it unknown again."""
    tops = sorted(tree.tops(), key=lambda part: part.end)
    whole = [part for part in tops if part.kind == "agent"] or [part for part in tops if not part.parent]
    last = whole[-1] if whole else None
    if last is None or last.is_claude:
        failures = [part for part in run.parts if part.kind == "failure"]
        others = [part.end for part in (*calls, *steps)]
        if failures and failures[-1].end >= max(others, default=0):
            return "failed", failures[-1].error
    if last is not None:
        return ("failed", last.error) if last.outcome is False else ("completed", None)
    return ("completed" if run.is_over and (calls or steps) else None), None


def _step_records(
    steps: Sequence[Part], calls: Sequence[Part], costs: Sequence[Decimal | None], *, is_billed: bool
) -> list[dict[str, Any]]:
    issuers = _issuers(steps, calls)
    issued = Counter(issuers)
    given = {
        number: shares(call.usage or Usage(), cost, issued[number])
        for number, (call, cost) in enumerate(zip(calls, costs, strict=True))
    }
    records = []
    for step, issuer in zip(steps, issuers, strict=True):
        record: dict[str, Any] = {
            "tool_call_id": step.key,
            "agent_id": step.agent,
            "tool_name": step.name,
            "tool_params": step.params,
            "command": step.command,
            "called_at": _moment(step.start),
            "completed_at": _moment(step.end),
            "success": step.outcome,
            "error_message": step.error if step.outcome is False else None,
            "output_excerpt": step.text,
        }
        if issuer is not None:
            call, share = calls[issuer], next(given[issuer])
            record["request_id"] = call.key or call.span or f"request-{issuer + 1}"
            if call.usage is not None:
                record |= {"input_tokens": share.input, "output_tokens": share.output}
            # A sender's own cost is shared where records are normalised.
            cost = costs[issuer] if is_billed else share.cost
            record["cost_usd"] = None if cost is None else str(cost)
        records.append(record)
    return records


def _issuers(steps: Sequence[Part], calls: Sequence[Part]) -> list[int | None]:
    """The request that asked for each step: the last that its agent had begun by then. No record names it."""
    by_agent: defaultdict[str | None, list[int]] = defaultdict(list)
    for number, call in enumerate(calls):
        by_agent[call.agent].append(number)

    def begun(numbers: Sequence[int], moment: int) -> int | None:
        place = bisect_right(numbers, moment, key=lambda number: calls[number].start)
        return numbers[place - 1] if place else None

    own = [begun(by_agent[step.agent], step.start) for step in steps]
    anybody = range(len(calls))
    return [begun(anybody, step.start) if mine is None else mine for mine, step in zip(own, steps, strict=True)]


def by_group(parts: Iterable[Part]) -> Mapping[str, list[Part]]:
    """The parts that may belong to the same run."""
    groups: defaultdict[str, list[Part]] = defaultdict(list)
    for part in parts:
        groups[part.group].append(part)
    return groups


def _first(values: Iterable[str | None]) -> str | None:
    return next((value for value in values if value), None)


def _moment(micros: int) -> float:
    return micros / 1e6
