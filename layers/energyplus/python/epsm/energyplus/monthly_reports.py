"""Reports of EnergyPlus that are requested for monthly results."""

MONTHLY_REPORTS = (
    *("EnergyConsumptionElectricityNaturalGasMonthly", "EnergyConsumptionElectricityGeneratedPropaneMonthly"),
    *("EnergyConsumptionDieselFuelOilMonthly", "EnergyConsumptionDistrictHeatingCoolingMonthly"),
    *("EnergyConsumptionCoalGasolineMonthly", "EnergyConsumptionOtherFuelsMonthly"),
    *("PeakEnergyEndUseElectricityPart1Monthly", "PeakEnergyEndUseElectricityPart2Monthly"),
    *("PeakEnergyEndUseNaturalGasMonthly", "PeakEnergyEndUseDieselMonthly", "PeakEnergyEndUseFuelOilMonthly"),
    *("PeakEnergyEndUseCoalMonthly", "PeakEnergyEndUsePropaneMonthly", "PeakEnergyEndUseGasolineMonthly"),
    "PeakEnergyEndUseOtherFuelsMonthly",
)
"""Reports with the monthly peaks by fuel and end use; EnergyPlus writes those for the model's fuels."""
