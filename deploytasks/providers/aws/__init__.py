"""AWS through boto3: one module per service, ``session`` for what all of them share."""
