-- Which index is right depends on how common the status, the category and the words are that are asked for: a plan that is
-- kept for any values would walk the whole queue for rare ones.
SET LOCAL plan_cache_mode TO force_custom_plan
