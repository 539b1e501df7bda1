"""The views of the page *Layers & shapes*. Each module's ``show(current, values)`` draws one of them."""
