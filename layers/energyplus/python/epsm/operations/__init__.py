"""What else happens to a study: cancel, rerun, progress, shares, budget, closing, retention, the canary."""
