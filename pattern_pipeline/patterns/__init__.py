"""Services of the chain: hours of history become signatures, occurrences, statistics and estimates.

They read and write the warehouse and call the pure rooms `detection` and `economics`; assets, CLI and web call them.
Nothing here knows Dagster.
"""
