"""The study as written by users, and its variants, manifest and records. No AWS, no EnergyPlus."""
