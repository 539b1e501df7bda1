"""Each page's whole configuration as one frozen value: its fields, bounds, and how they fit together."""
