"""The `epsm` command: runs a study, follows it, and downloads its results, on AWS or on this machine."""
