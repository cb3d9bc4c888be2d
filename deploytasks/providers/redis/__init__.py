"""Redis: the flag that tells an application that it is closed."""
