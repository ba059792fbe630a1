-- What was examined for the queue, and where it ended: by verdict, patterns that were never counted left out.
SELECT count(*) AS patterns,
       count(*) FILTER (WHERE v.verdict = 'excluded') AS excluded,
       count(*) FILTER (WHERE v.verdict = 'insufficient_evidence') AS insufficient_evidence,
       count(*) FILTER (WHERE v.verdict = 'not_worth_automating') AS not_worth_automating,
       count(*) FILTER (WHERE v.verdict IN ('worth_automating', 'promising')) AS promising,
       (SELECT coalesce(sum(workflow_count), 0) FROM history_hours) AS runs,
       (SELECT min(hour) FROM history_hours WHERE workflow_count > 0) AS first_hour,
       (SELECT max(hour) FROM history_hours WHERE workflow_count > 0) AS last_hour
FROM v_patterns v
WHERE v.occurrence_count + v.intent_count > 0
