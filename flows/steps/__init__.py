"""The steps as Prefect tasks."""
