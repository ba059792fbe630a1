"""What repeated work costs, and what automating it is worth: pure functions of aggregates and assumptions.

Belongs here: statistics, confidence, estimates, realised ROI, and the words that explain them. Does not belong here:
a database, Dagster, the clock. Money is US dollars; a month is ``RoiPolicy.month_days`` days.
"""
