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
"""Reports with the peaks of months, by fuel and by end use; EnergyPlus writes those of fuels that the model has."""
