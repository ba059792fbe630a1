"""Benchmarks: ratios against references measured in the same run, each a module to be run by itself."""
