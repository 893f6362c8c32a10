"""The verbs as plain functions; no task is named here."""
