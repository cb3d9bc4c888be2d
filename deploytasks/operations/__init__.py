"""What tasks call: whole operations on one environment. Tasks import the module they need, when they run."""
