"""The approval queue: what enters it, what people decide, and the audit trail of both."""
