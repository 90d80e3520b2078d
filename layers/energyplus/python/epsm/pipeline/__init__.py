"""The steps of a study, one module per function: submit, run_variant, aggregate, and their common parts."""
