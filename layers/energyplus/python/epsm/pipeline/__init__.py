"""The way of a study, one module a function: submit, run_variant, aggregate, and what these share."""
