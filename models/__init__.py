"""MATHS: one file per family; knows nothing of Prefect, MLflow or DVC."""
