"""The ledger as an auditor reads it: a row for each deed, each column with the controls that it serves. Pure."""
