"""The parts of the page *Step through*: its controls, what-if, the picture, and the arithmetic under it."""
