"""The `epsm` command: run a study, follow it, fetch its results; on AWS or on this machine, the same way."""
