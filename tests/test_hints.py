"""Each hint here is followed to the letter: then the problem is gone, and nothing else is wrong.

A case has the files of a project, a part of the hint, and the files that change when the hint is followed.
"""

from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.support.project import Folder

MESSAGE = "name: a\nmessage_type: inapp\nbody: Hi\nfrom: {type: admin, id: '1'}\n"


def table(email: str = "{{ email }}", more: str = "") -> str:
    """A declaration whose recipients are the rows of a.csv."""
    return f"{MESSAGE}to: {{csv: ../a.csv, type: user, email: '{email}'{more}}}\n"


def body(text: str, variables: str = "{first_name: Bo}") -> str:
    """A declaration with a body and one recipient with variables."""
    return MESSAGE.replace("body: Hi", f"body: |\n  {text}") + f"to: {{type: user, id: a1, vars: {variables}}}\n"


@dataclass(frozen=True)
class Case:
    """A mistake, its hint, the files after the hint was followed, and the exit code before: 0 if it was a warning."""

    hint: str
    fixed: dict[str, str]
    files: dict[str, str] = field(default_factory=dict)
    declaration: str = table()
    code: int = 1


CASES = {
    "a column in capitals": Case(
        hint="did you mean Email?",
        files={"a.csv": "Email\nbo@example.com\n"},
        fixed={"messages/a.yaml": table("{{ Email }}")},
    ),
    "a column that is no variable": Case(
        hint='say columns: {"E-mail": email} beside the file',
        files={"a.csv": "E-mail\nbo@example.com\n"},
        fixed={"messages/a.yaml": table(more=', columns: {"E-mail": email}')},
    ),
    "a blank address": Case(
        hint="fill it in",
        files={"a.csv": "email,n\n,1\nbo@example.com,2\n"},
        fixed={"a.csv": "email,n\nal@example.com,1\nbo@example.com,2\n"},
    ),
    "a blank address that is left out": Case(
        hint='or leave such rows out with where: "{{ email is defined }}"',
        files={"a.csv": "email,n\n,1\nbo@example.com,2\n"},
        fixed={"messages/a.yaml": table(more=', where: "{{ email is defined }}"')},
    ),
    "no header": Case(
        hint="write a first line that names the columns, one of them email",
        files={"a.csv": "al@example.com\nbo@example.com\n"},
        fixed={"a.csv": "email\nal@example.com\nbo@example.com\n"},
    ),
    "a column with another name": Case(
        hint="did you mean mail?",
        files={"a.csv": "mail\nbo@example.com\n"},
        fixed={"messages/a.yaml": table("{{ mail }}")},
    ),
    "an inline recipient without its variable": Case(
        hint="write the email itself",
        declaration=f"{MESSAGE}to: {{type: user, email: '{{{{ email }}}}'}}\n",
        fixed={"messages/a.yaml": f"{MESSAGE}to: {{type: user, email: bo@example.com}}\n"},
    ),
    "an address as an id": Case(
        hint="name it email",
        declaration=f"{MESSAGE}to: {{type: user, id: bo@example.com}}\n",
        fixed={"messages/a.yaml": f"{MESSAGE}to: {{type: user, email: bo@example.com}}\n"},
    ),
    "a line of a body that is not indented": Case(
        hint="if it belongs to the text, indent it as the text",
        declaration=MESSAGE.replace("body: Hi", "body: |\n  Hi\nBo, welcome\n  bye") + "to: {type: user, id: a1}\n",
        fixed={"messages/a.yaml": body("Hi\n  Bo, welcome\n  bye")},
    ),
    "a line of a body that is indented too little": Case(
        hint="if it belongs to the text, indent it as the text",
        declaration=MESSAGE.replace("body: Hi", "body: |\n    Hi\n  Bo") + "to: {type: user, id: a1}\n",
        fixed={"messages/a.yaml": body("Hi\n  Bo")},
    ),
    "no-break spaces as indentation": Case(
        hint="indent it with spaces",
        declaration=f"{MESSAGE}to:\n\xa0\xa0type: user\n\xa0\xa0id: a1\n",
        fixed={"messages/a.yaml": f"{MESSAGE}to:\n  type: user\n  id: a1\n"},
    ),
    "Liquid's colon": Case(
        hint='| default("friend")',
        declaration=body('{{ first_name | default: "friend" }}'),
        fixed={"messages/a.yaml": body('{{ first_name | default("friend") }}')},
    ),
    "Liquid's unless": Case(
        hint="{% if not … %} … {% endif %}",
        declaration=body("a{% unless first_name %}x{% endunless %}"),
        fixed={"messages/a.yaml": body("a{% if not first_name %}x{% endif %}")},
    ),
    "Liquid's assign": Case(
        hint="{% set a = 'b' %}",
        declaration=body("{% assign a = 'b' %}{{ a }}"),
        fixed={"messages/a.yaml": body("{% set a = 'b' %}{{ a }}")},
    ),
    "Liquid's elsif": Case(
        hint="{% elif … %}",
        declaration=body("{% if first_name == 'x' %}a{% elsif first_name %}b{% endif %}"),
        fixed={"messages/a.yaml": body("{% if first_name == 'x' %}a{% elif first_name %}b{% endif %}")},
    ),
    "Liquid's capture": Case(
        hint="{% set … %} … {% endset %}",
        declaration=body("{% capture a %}x{% endcapture %}{{ a }}"),
        fixed={"messages/a.yaml": body("{% set a %}x{% endset %}{{ a }}")},
    ),
    "||": Case(
        hint="in Jinja: or",
        declaration=body("Hi {{ first_name || 'there' }}"),
        fixed={"messages/a.yaml": body("Hi {{ first_name or 'there' }}")},
    ),
    "&&": Case(
        hint="in Jinja: and",
        declaration=body("{% if first_name && first_name %}x{% endif %}"),
        fixed={"messages/a.yaml": body("{% if first_name and first_name %}x{% endif %}")},
    ),
    "!": Case(
        hint="in Jinja: not first_name",
        declaration=body("a{% if !first_name %}x{% endif %}"),
        fixed={"messages/a.yaml": body("a{% if not first_name %}x{% endif %}")},
    ),
    "a default for a part of what is null": Case(
        hint="write {{ (contact | default({})).name | default('there') }}",
        declaration=body("Hi {{ contact.name | default('there') }}", "{contact: null}"),
        fixed={"messages/a.yaml": body("Hi {{ (contact | default({})).name | default('there') }}", "{contact: null}")},
    ),
    "a title above the header": Case(
        hint="remove it: the first line names the columns",
        files={"a.csv": "Customers\nemail,n\nbo@example.com,1\n"},
        fixed={"a.csv": "email,n\nbo@example.com,1\n"},
    ),
    "an escape without double quotes": Case(
        hint='write the text in double quotes: "…"',
        declaration=MESSAGE.replace("body: Hi", r"body: Hi\n\nthere \ud83d\udc4d") + "to: {type: user, id: a1}\n",
        fixed={
            "messages/a.yaml": MESSAGE.replace("body: Hi", r'body: "Hi\n\nthere \ud83d\udc4d"')
            + "to: {type: user, id: a1}\n"
        },
        code=0,
    ),
    "a comment in a variable of the project": Case(
        hint="quote the text",
        files={"a.csv": "email\nbo@example.com\n", "msgrun.yaml": "vars:\n  p: Deal #1 of the year\n"},
        fixed={"msgrun.yaml": 'vars:\n  p: "Deal #1 of the year"\n'},
        code=0,
    ),
    "a control character": Case(
        hint="remove its escape",
        declaration=MESSAGE.replace("body: Hi", r'body: "Hi \u0007Bo"') + "to: {type: user, id: a1}\n",
        fixed={"messages/a.yaml": MESSAGE.replace("body: Hi", 'body: "Hi Bo"') + "to: {type: user, id: a1}\n"},
    ),
    "a text that begins with a bracket": Case(
        hint='quote a text that begins with a bracket: "[…] …"',
        declaration=MESSAGE.replace("body: Hi", "body: [Acme] News") + "to: {type: user, id: a1}\n",
        fixed={"messages/a.yaml": MESSAGE.replace("body: Hi", 'body: "[Acme] News"') + "to: {type: user, id: a1}\n"},
    ),
    "a text that begins with !": Case(
        hint='if it is text, quote it: "!Important …"',
        declaration=MESSAGE.replace("body: Hi", "body: !Important news") + "to: {type: user, id: a1}\n",
        fixed={
            "messages/a.yaml": MESSAGE.replace("body: Hi", 'body: "!Important news"') + "to: {type: user, id: a1}\n"
        },
    ),
    "a path in double quotes": Case(
        hint="in double quotes a backslash begins an escape: double it, or use single quotes",
        declaration=MESSAGE.replace("body: Hi", r'body: "C:\Users"') + "to: {type: user, id: a1}\n",
        fixed={"messages/a.yaml": MESSAGE.replace("body: Hi", r"body: 'C:\Users'") + "to: {type: user, id: a1}\n"},
    ),
    "the length of a text": Case(
        hint="the number of characters is … | length",
        declaration=body("a{% if first_name.length > 1 %}x{% endif %}"),
        fixed={"messages/a.yaml": body("a{% if first_name | length > 1 %}x{% endif %}")},
    ),
    "the size of a list": Case(
        hint="the number of items is … | length",
        declaration=body("a{% if items.size %}x{% endif %}", "{items: [1]}"),
        fixed={"messages/a.yaml": body("a{% if items | length %}x{% endif %}", "{items: [1]}")},
    ),
    "the first of a list": Case(
        hint="the first item is … | first",
        declaration=body("a{% if items.first %}x{% endif %}", "{items: [1]}"),
        fixed={"messages/a.yaml": body("a{% if items | first %}x{% endif %}", "{items: [1]}")},
    ),
    "a comment without a space": Case(
        hint="{# … #}",
        declaration=body("<p>Hi</p>{#todo remove#}<p>x</p>"),
        fixed={"messages/a.yaml": body("<p>Hi</p>{# todo remove #}<p>x</p>")},
    ),
    "a comment without an end": Case(
        hint="end it with #}",
        declaration=body("<p>Hi {# todo: fix this</p>"),
        fixed={"messages/a.yaml": body("<p>Hi {# todo: fix this#}</p>")},
    ),
    "typographic quotes": Case(
        hint='write " or ',
        declaration=body("Hi {{ first_name | default(“there”) }}"),
        fixed={"messages/a.yaml": body('Hi {{ first_name | default("there") }}')},
    ),
    "quotes as HTML": Case(
        hint="write the sign itself",
        declaration=body("Hi {{ first_name | default(&quot;there&quot;) }}"),
        fixed={"messages/a.yaml": body('Hi {{ first_name | default("there") }}')},
    ),
    "HTML inside a tag": Case(
        hint="move it out of the braces",
        declaration=body("Hi {{ <b>first_name</b> }}"),
        fixed={"messages/a.yaml": body("Hi <b>{{ first_name }}</b>")},
    ),
    "a name as a statement": Case(
        hint="in Jinja: {{ first_name }}",
        declaration=body("Hi {%first_name%}"),
        fixed={"messages/a.yaml": body("Hi {{ first_name }}")},
    ),
    "contains": Case(
        hint="{% if … in … %}",
        declaration=body('a{% if first_name contains "B" %}x{% endif %}'),
        fixed={"messages/a.yaml": body('a{% if "B" in first_name %}x{% endif %}')},
    ),
    "one =": Case(
        hint="in Jinja: ==",
        declaration=body('a{% if first_name = "B" %}x{% endif %}'),
        fixed={"messages/a.yaml": body('a{% if first_name == "B" %}x{% endif %}')},
    ),
    "an if without an end": Case(
        hint="write {% endif %} where it ends",
        declaration=body("a{% if first_name %}x"),
        fixed={"messages/a.yaml": body("a{% if first_name %}x{% endif %}")},
    ),
    "a filter of Liquid": Case(
        hint="in Jinja: | upper",
        declaration=body("Hi {{ first_name | upcase }}"),
        fixed={"messages/a.yaml": body("Hi {{ first_name | upper }}")},
    ),
    "a filter of Liquid with a value": Case(
        hint="in Jinja: ~ …",
        declaration=body('Hi {{ first_name | append: "!" }}'),
        fixed={"messages/a.yaml": body('Hi {{ first_name ~ "!" }}')},
    ),
    "a date": Case(
        hint="put the text into the data",
        declaration=body('On {{ day | date: "%B %d" }}', "{day: 2026-12-01}"),
        fixed={"messages/a.yaml": body("On {{ day }}", "{day: December 1}")},
    ),
    "a number that is a text": Case(
        hint="a text is not a number: write … | float",
        declaration=body("{{ price | round(2) }}", '{price: "12.50"}'),
        fixed={"messages/a.yaml": body("{{ price | float | round(2) }}", '{price: "12.50"}')},
    ),
    "a function that does not exist": Case(
        hint="put what it returns into the data",
        declaration=body("It is {{ now() }}"),
        fixed={"messages/a.yaml": body("It is {{ now }}", "{now: noon}")},
    ),
    "== empty": Case(
        hint="in Jinja: {% if not … %}",
        declaration=body("a{% if items == empty %}x{% endif %}", "{items: []}"),
        fixed={"messages/a.yaml": body("a{% if not items %}x{% endif %}", "{items: []}")},
        code=0,
    ),
    "a name that looks like a template": Case(
        hint="correct name of this recipient, or remove the recipient",
        files={"a.csv": "email,name\nbo@example.com,%7B%7b\nal@example.com,\n"},
        declaration=table().replace("Hi", '"Hi {{ name | default(1) }}"'),
        fixed={"a.csv": "email,name\nbo@example.com,Bo\nal@example.com,\n"},
    ),
    "a part of a value that looks like a template": Case(
        hint="correct shop of this recipient, or remove the recipient",
        declaration=body("Hi {{ shop.name }}", "{shop: {name: '{%'}}"),
        fixed={"messages/a.yaml": body("Hi {{ shop.name }}", "{shop: {name: Bo}}")},
    ),
    "a text of the author that is put into a value": Case(
        hint="a value is sent as it stands: write what greeting says into the text itself",
        declaration=body("{{ greeting }}") + "vars: {greeting: 'Hi {{ first_name }}'}\n",
        fixed={"messages/a.yaml": body("Hi {{ first_name }}")},
    ),
    "external_id": Case(
        hint="did you mean user_id?",
        declaration=f"{MESSAGE}to: {{type: user, external_id: bo}}\n",
        fixed={"messages/a.yaml": f"{MESSAGE}to: {{type: user, user_id: bo}}\n"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_hint_that_is_followed_mends_the_problem(folder: Folder, name: str) -> None:
    case = CASES[name]
    for path, text in {"messages/a.yaml": case.declaration, **case.files}.items():
        Path(folder.path / path).parent.mkdir(exist_ok=True)
        folder.write(path, text)
    before = folder.run("validate", "--show-values")
    assert before.code == case.code
    assert case.hint in before.out
    for path, text in case.fixed.items():
        folder.write(path, text)
    after = folder.run("validate", "--show-values")
    assert after.out.splitlines()[-1].endswith("no problems"), after.out
