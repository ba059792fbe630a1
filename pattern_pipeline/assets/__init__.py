"""The assets: thin wrappers, a file per layer. Each reads its window, calls a service and reports metadata."""
