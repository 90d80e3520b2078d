"""Sensitivity indices of a study with confidence intervals, even if runs have failed.

Estimators never receive a run without a value. If a run is missing, its whole group (a Saltelli block, a Morris
trajectory) is dropped, and every index states how many groups it was computed from. If too few remain, the index is
replaced by a reason, and another method is used.
"""
