"""What makes the project's documents; not part of the package."""
