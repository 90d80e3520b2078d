"""The `epsm` command: run a study, follow it, download its results; on AWS or on this machine."""
