-- The realised ROI of every pattern with its place in the queue; one that never ran has a row of nothing.
DROP VIEW IF EXISTS v_realised_roi;
CREATE VIEW v_realised_roi AS
SELECT p.pattern_id, p.pattern_signature, p.readable, coalesce(a.status, p.automation_status) AS status, a.version,
       coalesce(s.total_executions, 0) AS total_executions,
       coalesce(s.successful_executions, 0) AS successful_executions, s.success_rate,
       coalesce(s.priced_executions, 0) AS priced_executions, s.total_cost_saved_usd, s.average_cost_saved_usd,
       s.total_time_saved_seconds, s.average_time_saved_seconds, s.total_actual_cost, s.invested_usd, s.roi_percentage,
       coalesce(s.effectiveness, 'insufficient') AS effectiveness, s.last_executed_at, s.baseline_cost, s.baseline_hash,
       coalesce(s.approved, false) AS approved
FROM operation_patterns p
LEFT JOIN pattern_roi_summary s ON s.pattern_id = p.pattern_id
LEFT JOIN pattern_approvals a ON a.pattern_id = p.pattern_id;
