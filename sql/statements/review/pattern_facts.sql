-- A detected pattern by its signature or its number, queued or not.
SELECT pattern_id, pattern_signature, readable, kind, pattern_type, automatable, exclusion_reason, automation_status,
       occurrence_count, intent_count, execution_count, completed_count, failed_count, priced_count, distinct_days, projects,
       models, cost_basis, attributed_cost_usd, portfolio_cost_usd, naive_cost_usd, confidence_score, first_detected,
       last_seen
FROM operation_patterns p
WHERE p.pattern_signature = :reference::text
   OR p.pattern_id = CASE WHEN :reference::text ~ '^[0-9]{1,9}$' THEN (:reference::text)::integer END
