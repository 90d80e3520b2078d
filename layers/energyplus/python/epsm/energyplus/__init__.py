"""Everything that knows EnergyPlus: dictionary, models, weather files, the engine, verdicts. No AWS."""
