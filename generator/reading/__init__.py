"""The only place that opens what people hand to lanebook."""
