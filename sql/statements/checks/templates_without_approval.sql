-- Approved patterns without a mined template, and templates in force whose approval is no longer.
SELECT p.pattern_signature, a.status, t.id AS template
FROM pattern_approvals a
JOIN operation_patterns p USING (pattern_id)
LEFT JOIN pattern_templates t ON t.pattern_name = p.pattern_signature AND t.source = 'mined'
WHERE CASE WHEN a.status IN ('approved', 'auto-approved') THEN t.id IS NULL OR t.context ? 'revoked'
           ELSE NOT t.is_deprecated END
ORDER BY p.pattern_signature
LIMIT 20
