"""Recording what people and programs report of templates: uses, and how they are related.

Each function performs one operation inside the caller's transaction and raises when it cannot. Uses and relationships
that follow from history are derived in `usage` and `relationships`.
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import orjson

from pattern_pipeline.errors import Conflict, NotFound
from pattern_pipeline.library.contracts import CreateRelationship, RecordUsage, UpdateRelationship, UpdateStats
from pattern_pipeline.library.outcomes import Outcome, no_template, plain
from pattern_pipeline.warehouse.database import Transaction


def record_usage(tx: Transaction, request: RecordUsage, actor: str) -> Outcome:
    """The event as it is stored; `repeated` when it was there already.

    Raises:
        Conflict: The id was used for another report.
    """
    reported = {
        **request.model_dump(exclude={"operation", "correlation_id"}),
        "event_id": request.event_id or uuid4(),
        "context": _json(request.context),
        "tags": list(request.tags),
    }
    stored = tx.one("library/add_event", **reported, correlation_id=request.correlation_id)
    if stored is None:
        known = dict(tx.one("library/known_event", **reported) or {})
        if not known.pop("is_same"):
            raise Conflict(f"event_id {request.event_id}: it was used for another report; give each report its own")
        return Outcome(plain(known), 1, request.pattern_id)
    return Outcome(plain(stored), 1, request.pattern_id, after=plain(stored))


def update_stats(tx: Transaction, request: UpdateStats, actor: str) -> Outcome:
    """How many templates had other figures than their events.

    Raises:
        NotFound: No such template.
    """
    if request.pattern_id and tx.one("library/template", pattern_id=request.pattern_id) is None:
        raise no_template(request.pattern_id)
    corrected = tx.scalar("library/update_stats", pattern_id=request.pattern_id)
    return Outcome({"corrected": corrected}, corrected, request.pattern_id)


def create_relationship(tx: Transaction, request: CreateRelationship, actor: str) -> Outcome:
    """The relationship as it is stored, and whether it is new."""
    before = _relationship(tx, request)
    return _state(tx, request, before, request.strength, request.description, request.context)


def update_relationship(tx: Transaction, request: UpdateRelationship, actor: str) -> Outcome:
    """`updated_fields` and the relationship as it is now.

    Raises:
        NotFound: There is no such relationship.
    """
    before = _relationship(tx, request)
    if before is None:
        raise NotFound("relationship: there is none of that kind between the two; create it first")
    given = request.fields.model_dump(exclude_unset=True)
    is_now = {name: given.get(name, before[name]) for name in ("strength", "description", "context")}
    outcome = _state(tx, request, before, **is_now)
    data = {"updated_fields": list(given), "relationship": outcome.data}
    return Outcome(data, 1, outcome.pattern_id, outcome.before, outcome.after)


def _relationship(tx: Transaction, request: CreateRelationship | UpdateRelationship) -> dict[str, Any] | None:
    source, target = request.ends
    row = tx.one("library/relationship", source=source, target=target, relationship_type=request.relationship_type)
    return None if row is None else dict(row)


def _state(
    tx: Transaction,
    request: CreateRelationship | UpdateRelationship,
    before: dict[str, Any] | None,
    strength: Any,
    description: str | None,
    context: dict[str, Any],
) -> Outcome:
    source, target = request.ends
    stored = tx.one(
        "library/state_relationship",
        source=source,
        target=target,
        relationship_type=request.relationship_type,
        strength=strength,
        description=description,
        context=_json(context),
    )
    after = plain(dict(stored or {}))
    return Outcome(after, 1, source, before and plain(before), after)


def _json(document: dict[str, Any]) -> str:
    return orjson.dumps(document).decode()
