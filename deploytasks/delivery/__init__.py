"""How well software is delivered, by the measures of DORA: what counts, and what it comes to. Pure."""
