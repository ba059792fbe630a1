-- The score and its history in one statement: neither changes without the other.
WITH changed AS (
    SELECT * FROM jsonb_to_recordset(:changes::jsonb)
        AS c (pattern_id integer, old_confidence numeric, new_confidence numeric, snapshot jsonb)
),
applied AS (
    UPDATE operation_patterns p SET
        confidence_score = c.new_confidence,
        impact_score = c.new_confidence * p.occurrence_count * p.potential_monthly_savings,
        updated_at = now()
    FROM changed c
    WHERE p.pattern_id = c.pattern_id
)
INSERT INTO pattern_confidence_history (pattern_id, old_confidence, new_confidence, reason, snapshot)
SELECT pattern_id, old_confidence, new_confidence, 'executions', snapshot FROM changed ORDER BY pattern_id
