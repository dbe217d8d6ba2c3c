"""How good a risk is: ranking, calibration, utility, alarms, coverage, fairness."""
