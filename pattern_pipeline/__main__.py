"""`python -m pattern_pipeline`: the command line without its script."""

from pattern_pipeline.cli.main import main

main()
