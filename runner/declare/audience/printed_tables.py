"""Tables as programs print them for people to read: psql, mysql, sqlite3, sqlcmd, Markdown. None is a CSV file."""

import re

_MAX_LINES = 4  # from the top, of which one is the rule below the names or above them
# A rule of dashes with a sign where columns meet, or of several groups of dashes.
_RULE = re.compile(
    r"\s*(?=\S)(?:[+|]?\s*:?[-=]{2,}:?\s*(?:[+|]\s*:?[-=]{2,}:?\s*)*[+|]?|-{2,}(?:\s+-{2,})+)\s*|[\s─━═┌┐└┘├┤┬┴┼╔╗╚╝╠╣╦╩╬╒╕╞╡╪│]{3,}"
)
_ONLY_DASHES = re.compile(r"\s*[-=]+\s*")
_ROW_WITH_BARS = re.compile(r"\s*\|.*\|\s*")


def explain_printed_table(start: str) -> tuple[str, str] | None:
    """Returns what is wrong with a file that begins with this text, and the hint; None if it is not a printed table."""
    lines = [line for line in start.splitlines() if line.strip()][:_MAX_LINES]
    for number, line in enumerate(lines):
        if "," in line or not _RULE.fullmatch(line):
            continue
        if _ONLY_DASHES.fullmatch(line) and not (number and "|" in lines[number - 1]):
            continue
        return "this is a table as a program prints it for people, not CSV", _suggest_export(lines, number)
    return None


def _suggest_export(lines: list[str], number: int) -> str:
    """Returns how to export what was printed, by the form of the table, whose rule is line `number` (from 0)."""
    rule = lines[number].strip()
    if number == 0 and rule.startswith("+"):
        return 'export it with tabs: mysql --batch -e "select …" > people.tsv; or write the names and cells with commas'
    if "+" in rule:
        return 'export it as CSV: psql --csv -c "select …" > people.csv; or write the names and cells with commas'
    if _ROW_WITH_BARS.fullmatch(lines[number - 1]):
        return "write the names and cells with commas between them, and remove the bars and the line of dashes"
    return "export it as CSV (sqlite3 -csv -header, sqlcmd -s,), or write the names and cells with commas between them"
