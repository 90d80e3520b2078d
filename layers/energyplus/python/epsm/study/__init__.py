"""What a modeller writes, and what is known of it: study, variants, manifest, records. No AWS, no EnergyPlus."""
