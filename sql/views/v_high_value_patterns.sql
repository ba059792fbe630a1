-- Patterns that nobody has decided upon yet and that are worth a look: confident, and with savings that are not nothing.
DROP VIEW IF EXISTS v_high_value_patterns;
CREATE VIEW v_high_value_patterns AS
SELECT pattern_id, pattern_signature, pattern_type, readable, automation_status, confidence_score, occurrence_count,
       potential_monthly_savings, potential_monthly_savings * 12 AS potential_annual_savings, impact_score
FROM operation_patterns
WHERE automation_status IN ('detected', 'in_review') AND confidence_score >= 70 AND potential_monthly_savings >= 0.50;
