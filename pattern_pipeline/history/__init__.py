"""Sources into canonical history: readers, redaction, landing."""
