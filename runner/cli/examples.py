"""The examples that stand in the help of each command: a command line, and what it does."""

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "": (
        ("msgrun init", "begin a project in this folder"),
        ("msgrun plan", "what would be sent, and to whom"),
        ("msgrun apply", "send it"),
    ),
    "init": (
        ("msgrun init", "begin a project in this folder"),
        ("msgrun init --github", "add a workflow that plans pull requests and applies merges"),
    ),
    "new": (
        ("msgrun new spring/news", "an email to a list of people"),
        ("msgrun new tip --in-app --audience", "an in-app message to the rows of a CSV file"),
    ),
    "sandbox": (
        ("msgrun sandbox --port 8765", "an Intercom on this machine, for other programs too"),
        ("msgrun sandbox --reset", "forget what was sent to it"),
    ),
    "completion": (
        ('eval "$(msgrun completion bash)"', "for this shell; write it into ~/.bashrc to keep it"),
        ("msgrun completion fish | source", "in fish, in its config.fish"),
    ),
    "validate": (
        ("msgrun validate", "every message"),
        ("msgrun validate messages/news.yaml", "one file"),
        ("msgrun validate --fix", "fix what has only one possible fix, and show the changes"),
    ),
    "lint": (
        ("msgrun lint", "every message"),
        ("msgrun lint --format sarif > lint.sarif", "for a code scanner"),
    ),
    "explain": (
        ("msgrun explain undefined-variable", "what the code of a problem means, with an example"),
        ("msgrun explain", "all codes, in groups"),
    ),
    "render": (
        ("msgrun render welcome", "for every recipient, a line each"),
        ("msgrun render welcome --to ann@example.com", "for one of them"),
    ),
    "preview": (
        ("msgrun preview", "write the pages, and print where to open them"),
        ("msgrun preview welcome --serve", "one message, in a browser that follows each change"),
        ("msgrun preview --against origin/main", "old and new side by side"),
    ),
    "schema": (
        ("msgrun schema message", "the rules of a declaration"),
        ("msgrun schema project > project.schema.json", "the rules of msgrun.yaml, for an editor"),
    ),
    "plan": (
        ("msgrun plan", "what apply would send"),
        ("msgrun plan --against origin/main", "and what changed since that commit"),
        ("msgrun plan --online --out plan.json", "save it, for apply --plan"),
    ),
    "test-send": (
        ("msgrun test-send news --as me@acme.example", "the first delivery, to yourself"),
        ("msgrun test-send news --to user_id:25 --as me@acme.example", "as this recipient would get it"),
    ),
    "apply": (
        ("msgrun apply", "plan, ask, send"),
        ("msgrun apply messages/news.yaml --canary 10", "ten of one message first, then ask again"),
    ),
    "status": (
        ("msgrun status", "each message: how many got it, and when"),
        ("msgrun status --to ann@example.com", "what one person got"),
        ("msgrun status --online", "who replied, and what Intercom dropped"),
    ),
    "reconcile": (
        ("msgrun reconcile", "look up in Intercom what is unknown"),
        ("msgrun reconcile --sandbox", "in the sandbox"),
    ),
    "resolve": (
        ("msgrun resolve", "ask about each delivery that is unknown"),
        ("msgrun resolve 5c2f19a0 --not-sent", "this one did not arrive: the next apply sends it"),
    ),
    "accept": (
        ("msgrun accept news", "people who got the old text do not get the new one"),
        ("msgrun plan && msgrun accept news", "look at it first"),
    ),
    "adopt": (
        ("msgrun adopt welcome", "another tool sent it; it is not sent again"),
        ("msgrun plan && msgrun adopt welcome", "see first who that is"),
    ),
    "lock": (
        ("msgrun lock begin", "start the ledger of a new project"),
        ("msgrun lock move git+origin", "from a file to a branch of the git remote, for CI"),
    ),
    "lock begin": (
        ("msgrun lock begin", "start the ledger that lock: names"),
        ("msgrun lock begin --abandon-previous", "the old one is lost, and may be forgotten"),
    ),
    "lock move": (
        ("msgrun lock move git+origin", "to the branch msgrun-ledger of the git remote"),
        ("msgrun lock move messages.lock", "back to a file"),
    ),
    "lock verify": (
        ("msgrun lock verify", "can every record be read?"),
        ("msgrun lock verify --against origin/main", "in a pull request: does it change the ledger?"),
    ),
    "lock compact": (
        ("msgrun lock compact", "one line for each delivery"),
        ("msgrun lock stats && msgrun lock compact", "see first how large it is"),
    ),
    "lock stats": (
        ("msgrun lock stats", "how many records, how many bytes"),
        ("msgrun -e staging lock stats", "of another environment"),
    ),
    "lock show": (
        ("msgrun lock show", "the newest records"),
        ("msgrun lock show 5c2f19a0", "the records of one key"),
    ),
    "lock export": (
        ("msgrun lock export > backup.lock", "a copy of every record"),
        ("msgrun -e staging lock export", "of another environment"),
    ),
    "doctor": (
        ("msgrun doctor", "is everything in place?"),
        ("msgrun -e staging doctor --format json", "another environment, for a program"),
    ),
    "admins": (
        ("msgrun admins", "id, name, email and seat of each"),
        ("msgrun admins --format json", "for a program"),
    ),
    "audit": (
        ("msgrun audit", "who applied what, and when"),
        ("msgrun audit --format csv > audit.csv", "for a spreadsheet"),
    ),
    "forget": (
        ("msgrun forget --to ann@example.com", "what an erasure request needs"),
        ("msgrun -e staging forget --to user_id:25 --yes", "in another environment, without a question"),
    ),
    "lock import": (
        ("msgrun lock import backup.lock", "add its records"),
        ("msgrun lock import ID.rescue", "what a CI job could not write, from its artifact"),
    ),
}
