-- Templates whose approval was revoked or whose pattern was put before a person again.
UPDATE pattern_templates t SET is_deprecated = true, context = t.context || '{"revoked": true}', updated_at = now()
FROM operation_patterns p
JOIN pattern_approvals a USING (pattern_id)
WHERE t.source = 'mined' AND t.pattern_name = p.pattern_signature AND NOT t.is_deprecated
  AND a.status NOT IN ('approved', 'auto-approved')
