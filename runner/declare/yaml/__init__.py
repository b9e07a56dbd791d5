"""YAML: texts to plain values that remember where they stand."""
