"""Finds the operations that repeat in the history of LLM-agent workflows, and says what automating them is worth."""
