"""Storing templates one by one or in a batch, changing, deleting and querying them.

Each function performs one operation inside the caller's transaction and raises when it cannot.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, NoReturn

import orjson
from sqlalchemy.exc import IntegrityError

from pattern_pipeline.errors import Conflict
from pattern_pipeline.library.contracts import BatchInsert, Delete, Insert, QueryTemplates, Update
from pattern_pipeline.library.fields import Conditions, NewTemplate, NumberCondition, TextCondition, TimeCondition
from pattern_pipeline.library.outcomes import Outcome, listed, no_template, plain
from pattern_pipeline.library.results import BatchFailed
from pattern_pipeline.warehouse.database import Transaction

_TEXTS: Final = ("pattern_name", "pattern_type", "language", "category", "source", "created_by")
_EXACT: Final = ("confidence_score", "success_rate")
_WHOLE: Final = ("usage_count", "complexity_score")
_TIMES: Final = ("created_at", "last_used_at")
_MOST: Final = 2**63 - 1


def insert(tx: Transaction, request: Insert, actor: str) -> Outcome:
    """`id`, `pattern_name` and `created_at` of the new template."""
    (stored,) = _store(tx, "library/insert_templates", [request.template], actor)
    return Outcome(stored, 1, stored["id"], after=request.template.model_dump(mode="json", exclude_unset=True))


def batch_insert(tx: Transaction, request: BatchInsert, actor: str) -> Outcome:
    """For each template, in order, what `insert` gives and whether it is new.

    Raises:
        BatchFailed: One of them was refused.
    """
    statement = "library/upsert_templates" if request.upsert else "library/insert_templates"
    try:
        with tx.connection.begin_nested():
            stored = _store(tx, statement, request.templates, actor)
    except IntegrityError as refusal:
        _find_refused(tx, statement, request.templates, actor, refusal)
    return Outcome(stored, len(stored))


def _find_refused(
    tx: Transaction, statement: str, templates: Sequence[NewTemplate], actor: str, refusal: IntegrityError
) -> NoReturn:
    """The first template that is refused after those before it, found by halving.

    Raises:
        BatchFailed: Always; its cause is what refused the template.
    """
    known_good, known_bad = 0, len(templates)
    while known_bad - known_good > 1:
        middle = (known_good + known_bad) // 2
        try:
            with tx.connection.begin_nested():
                _store(tx, statement, templates[known_good:middle], actor)
            known_good = middle
        except IntegrityError as error:
            known_bad, refusal = middle, error
    raise BatchFailed(known_good) from refusal


def update(tx: Transaction, request: Update, actor: str) -> Outcome:
    """`updated_fields`, in the order of the columns, and the template as it is now.

    Raises:
        NotFound: No such template.
        Conflict: It was changed since the version that was seen.
    """
    before = tx.one("library/lock_template", pattern_id=request.pattern_id)
    if before is None:
        raise no_template(request.pattern_id)
    if request.version is not None and request.version != before["version"]:
        raise Conflict(
            f"template {request.pattern_id}: it has changed since version {request.version}, it is at "
            f"{before['version']} now; look at it and decide again"
        )
    fields = request.fields.model_dump(mode="json", exclude_unset=True)
    tx.run("library/update_template", pattern_id=request.pattern_id, fields=orjson.dumps(fields).decode())
    after = dict(tx.one("library/template", pattern_id=request.pattern_id) or {})
    return Outcome(
        {"updated_fields": list(fields), "template": plain(after)},
        1,
        request.pattern_id,
        before={name: before[name] for name in fields},
        after={name: after[name] for name in fields},
    )


def delete(tx: Transaction, request: Delete, actor: str) -> Outcome:
    """The id that is gone.

    Raises:
        NotFound: No such template.
        Conflict: It was used.
    """
    before = tx.one("library/lock_template", pattern_id=request.pattern_id)
    if before is None:
        raise no_template(request.pattern_id)
    if not tx.run("library/delete_template", pattern_id=request.pattern_id):
        raise Conflict(f"template {request.pattern_id}: it was used, so it stays; deprecate it instead")
    return Outcome({"id": request.pattern_id}, 1, request.pattern_id, before=plain(before))


def query(tx: Transaction, request: QueryTemplates, actor: str) -> Outcome:
    """Templates that meet the conditions, newest first."""
    page = {"limit": request.limit, "offset": request.offset}
    return listed(tx.rows("library/query_templates", **_parameters(request.where), **page))


def _store(tx: Transaction, statement: str, templates: Sequence[NewTemplate], actor: str) -> list[dict[str, Any]]:
    rows = [{**each.model_dump(mode="json"), "position": index} for index, each in enumerate(templates)]
    return [dict(row) for row in tx.rows(statement, templates=orjson.dumps(rows).decode(), actor=actor)]


def _parameters(where: Conditions) -> dict[str, Any]:
    """A parameter for each condition that there can be; None for those that were not given."""
    found: dict[str, Any] = {
        "is_deprecated": where.is_deprecated,
        "tags": list(where.tags) or None,
        "pattern_name_part": where.pattern_name.contains,
    }
    for name in _TEXTS:
        text: TextCondition = getattr(where, name)
        wanted = [text.eq] if text.eq is not None else list(text.any_of or ()) or None
        found[f"{name}_in"] = wanted if text.eq is None or text.any_of is None or text.eq in text.any_of else []
        found[f"{name}_like"] = None if text.contains is None else f"%{_literally(text.contains)}%"
    for name in _EXACT:
        found |= {f"{name}_{side}": bound for side, bound in _bounds(getattr(where, name)).items()}
    for name in _WHOLE:
        found |= {f"{name}_{side}": bound for side, bound in _whole_bounds(getattr(where, name)).items()}
    for name in _TIMES:
        time: TimeCondition = getattr(where, name)
        found |= {f"{name}_from": time.ge, f"{name}_before": time.lt}
    return found


def _literally(text: str) -> str:
    """A text as a LIKE pattern that means itself."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _bounds(condition: NumberCondition) -> dict[str, Decimal | None]:
    """The bounds of a column of exact decimals."""
    lows = [bound for bound in (condition.ge, condition.eq) if bound is not None]
    highs = [bound for bound in (condition.le, condition.eq) if bound is not None]
    return {
        "from": max(lows, default=None),
        "to": min(highs, default=None),
        "above": condition.gt,
        "below": condition.lt,
    }


def _whole_bounds(condition: NumberCondition) -> dict[str, int | None]:
    """The bounds of a column of whole numbers, as such: a column that has to be converted is not found by its index."""
    lows = [math.ceil(bound) for bound in (condition.ge, condition.eq) if bound is not None]
    lows += [] if condition.gt is None else [math.floor(condition.gt) + 1]
    highs = [math.floor(bound) for bound in (condition.le, condition.eq) if bound is not None]
    highs += [] if condition.lt is None else [math.ceil(condition.lt) - 1]
    # No count is negative or beyond what its column holds, so that a bound further away says no more.
    return {
        "from": None if not lows else max(min(max(lows), _MOST), -1),
        "to": None if not highs else max(min(min(highs), _MOST), -1),
    }
