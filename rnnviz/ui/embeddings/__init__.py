"""The parts of the page *Embeddings*: its controls, and one module for each view."""
