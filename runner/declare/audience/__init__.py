"""Where recipients come from, and who is left out.

Recipients are a list in the declaration, or the rows of a source, which are read one at a time. Each kind of source is
a module of its own. Every source has:

- `tree` and `paths`: the files that it reads
- `columns`: the variables that its rows have
- `estimated_count`: about how many rows there are; 0 if that is not known
- `rows()`: a Row, or a Problem, for each row in order
- `title`, `label(number)` and `place(number)`: how problems name the source and a row, and where the row is
- `is_text`: whether every cell is a text
- `has_fixed_columns`: whether no row has a column that is not in `columns`
- `is_unread`: whether its rows are contacts of the workspace that were not read, so that `rows()` raises
"""
