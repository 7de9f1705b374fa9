"""MLflow: runs, versions and slots."""
