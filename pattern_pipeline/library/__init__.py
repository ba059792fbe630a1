"""The library: approved patterns as templates, their uses, relationships and analytics.

Services only. What is derivable from history is derived in whole windows by `mining`, `usage`, `relationships` and
`analytics`; what a person or program asks for is an operation: a contract of `contracts`, performed by `service`.
"""
