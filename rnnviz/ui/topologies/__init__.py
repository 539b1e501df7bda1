"""The parts of the page *Topologies*."""
