"""Words and tags to learn from: typed, pasted or uploaded, checked, counted and split. Stdlib only."""
