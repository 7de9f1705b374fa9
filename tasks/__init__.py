"""STEP: one step of the work each, as plain functions that know nothing of Prefect."""
