"""Looks at a model without labels: its sites, what their cuts need, and whether these hold."""
