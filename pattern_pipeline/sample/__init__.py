"""A made-up but realistic history: for a first look, for tests and for benchmarks. No real data, no database."""

from pattern_pipeline.sample.files import PlantedFaults, planted_faults, planted_secrets, write_sample
from pattern_pipeline.sample.generator import END, generate_runs

__all__ = ["END", "PlantedFaults", "generate_runs", "planted_faults", "planted_secrets", "write_sample"]
