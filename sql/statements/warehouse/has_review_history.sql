SELECT to_regclass('pattern_review_history') IS NOT NULL;
