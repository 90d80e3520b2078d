"""Which parameters matter, and how sure that is: sensitivity indices of a study, also if runs have failed.

No estimator is ever given a run without a value. What a missing run belongs to (a Saltelli block, a Morris trajectory)
is dropped as a whole, and every index says how many it was computed from. Where too little is left there is no index,
but a reason and another method.
"""
