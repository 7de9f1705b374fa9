-- Users and permissions stay apart from the runs: both keep their migrations in a table of the same name.
CREATE DATABASE mlflow_auth OWNER mlflow;
