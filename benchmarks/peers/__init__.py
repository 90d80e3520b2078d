"""This project against the bare engine and against other tools that run EnergyPlus models in parallel."""
