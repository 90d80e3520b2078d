"""The checks of a study before any of it is run. No AWS."""
