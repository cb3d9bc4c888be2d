"""ECS: a service for each color, kept in task definitions that name what they are."""
