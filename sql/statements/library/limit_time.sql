-- For this transaction: how long a statement may take, and plans for the values given. A plan for any values would be made
-- for conditions that are mostly absent.
SELECT set_config('statement_timeout', :milliseconds::text, true), set_config('plan_cache_mode', 'force_custom_plan', true)
