"""PostgreSQL: a team's shared store, and the application's database."""
