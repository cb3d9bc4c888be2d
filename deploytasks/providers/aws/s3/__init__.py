"""S3: where a team keeps its ledger."""
