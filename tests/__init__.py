"""The tests of msgrun; see CONTRIBUTING.md."""
