"""Mechanistic models of the patient: the contract, the engine, the rooms, and the bodies that rooms compose."""
