"""Each page's whole configuration as one frozen value: its fields, their bounds, and how they fit together. Stdlib only."""
