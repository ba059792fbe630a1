"""What automations did and saved, beside what was estimated: services over `economics` and the warehouse.

Belongs here: recording executions, what is derived from them, and questions about estimates that store nothing. Does
not belong here: a formula (`economics`), the hourly estimates (`patterns.estimates`), the queue (`review`).
"""
