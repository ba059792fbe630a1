SELECT pattern_id FROM pattern_approvals ORDER BY pattern_id
