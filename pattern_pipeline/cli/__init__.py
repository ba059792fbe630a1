"""The command line face: a file per group of commands, each command a thin call into a service."""
