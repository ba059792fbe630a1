"""From history to signatures, without database, orchestration or clock: policies, texts, steps, sequences."""
