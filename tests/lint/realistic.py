# ruff: noqa: E501  # a body on a line of its own is easier to look at than one that is cut
"""Thirty messages as people write them; the linter has nothing to say about any of them.

`csv` is the audience where a message has one. Each holds something that a hasty rule would stumble over.
"""

PLAIN = """\
Hi {{ first_name }},

your export is ready: https://app.example.com/exports/{{ export }}

 - it holds 3 < 4 columns, and "quotes"
 - it is kept for 30 days

Best,
Ann
"""

CONDITIONAL = """\
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:v="urn:schemas-microsoft-com:vml">
<head><title>News {for you}</title>
<style>p { margin: 0 } @media (max-width: 600px) { .w { width: 100% !important } } a{color:red}</style>
<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml><![endif]-->
</head>
<body style="margin:0">
<!--[if mso]><table role="presentation"><tr><td><![endif]-->
<table class="w"><tbody><tr><td><p>Hello {{ first_name }}</p></td></tr></tbody></table>
<!--[if mso]></td></tr></table><![endif]-->
<!--[if !mso]><!--><p>For everybody else</p><!--<![endif]-->
</body></html>
"""

BUTTON = """\
<div>
<!--[if mso]><v:roundrect xmlns:v="urn:schemas-microsoft-com:vml" href="http://x"><w:anchorlock/></v:roundrect><![endif]-->
<![if !mso]><a href="https://example.com/a?b=1&amp;c=2" style="background:{{ colour }};padding:12px">Open</a><![endif]>
<o:p></o:p>
</div>
"""

JSON_LD = """\
<script type="application/ld+json">
{"@context": "http://schema.org", "@type": "EmailMessage", "publisher": null, "about": {"name": "{{ product }}"}}
</script>
<p>Your invoice is ready.</p>
"""

BODIES = {
    "plain-text": PLAIN,
    "conditional-comments": CONDITIONAL,
    "outlook-button": BUTTON,
    "json-ld": JSON_LD,
    "none-in-prose": "<p>None of your data was lost, {{ first_name }}. The null hypothesis holds: undefined behaviour, NULL rows.</p>",
    "entities": "<p>Fish &amp; chips &mdash; &#8364;5, caf&eacute;, &lt;tag&gt;, AT&T and R&D&hellip;&nbsp;</p>",
    "french": "<p>Bonjour {{ first_name }} !</p><p>Comment ça va ? Voici : « tout » ; merci.</p>",
    "german": "<p>Hallo {{ first_name }},</p><p>alles in Ordnung. Mit freundlichen Grüßen</p>",
    "optional-ends": "<ul><li>one<li>two</ul><table><tr><td>a<td>b<tr><td>c</table><dl><dt>x<dd>y</dl>",
    "implied-branches": "<ul>{% for item in items %}<li>{{ item }}</li>{% endfor %}</ul>",
    "either-or": "{% if plan == 'pro' %}<div class='a'>{% else %}<div class='b'>{% endif %}<p>Hi</p></div>",
    "optional-part": "<p>We have credited you{% if credit %} {{ credit }}{% endif %}.</p>\n{% if credit %}\n<p>Enjoy</p>\n{% endif %}\n",
    "whitespace-control": "<p>It costs 5\n{%- if credit %}, instead of {{ credit }}{% endif %}. Nothing else changes.</p>",
    "inline-only": "Hi <b>{{ first_name }}</b>,<br>all is well.<br/>Bye",
    "code-sample": "<p>Call <code>GET /users/{id}</code> or <code>{name}</code>, see <code>http://localhost:3000</code>.</p>",
    "path-template": "<p>Read /users/{id}/orders, and the shell's ${1} and {} and {1,2} and {a: 1}.</p>",
    "data-image-alt": '<p><img src="https://cdn.example.com/{{ export }}.png" alt=""></p>',
    "cid-in-words": '<p>Read <a href="https://example.com/cid:logo">cid:logo</a>, mailto: and tel: in our guide</p>',
    "branches-in-a-link": '<p><a href="https://example.com/{% if plan %}a{% else %}b{% endif %}?c={% if plan %}d{% endif %}">x</a></p>',
    "branches-in-mailto": '<p><a href="{% if plan %}mailto:a@example.com{% else %}tel:+4930123{% endif %}">x</a></p>',
    "keys": "<p>Press {Ctrl}+{C}, then {Enter} or {F5}. {Alt Gr} is beside {Space}+{x}.</p>",
    "whole-source": '<p><img src="{{ picture }}" alt="You"></p>',
    "mailto": '<p><a href="mailto:{{ support }}">Write</a> <a href="tel:+491">Call</a> <a href="#top">Up</a></p>',
    "hosts": '<p><a href="https://latest.example.com">a</a> <a href="https://contest.example.com">b</a> <a href="https://devices.example.com">c</a> <a href="https://dev.to/x">d</a> <a href="https://backstage.io">e</a></p>',
    "center": '<center><font color="red">Sale</font></center><hr><p>Bye</p>',
    "attributes-with-brackets": '<p title="a > b"><a href="https://example.com/?q={{ export }}">x</a></p>',
    "upper-case": "<P>Hello <B>you</B></P><BR>",
    "table-header": "<table><thead><tr><th>Plan</th></tr></thead><tbody><tr><td>{{ plan }}</td></tr></tbody></table>",
    "list-with-nested": "<ol><li><p>one</p><ul><li>a</li></ul></li></ol>",
    "heart": "I <3 ponies, 1<2, and a->b; x <- y",
    "macro": '{% macro button(url, text) %}<a href="{{ url }}">{{ text }}</a>{% endmacro %}<p>{{ button("https://example.com", "Go") }}</p>',
    "set-and-with": "{% set who = first_name %}<p>Hi {{ who }},</p>{% with n = plan %}<p>{{ n }}</p>{% endwith %}",
    "preheader": '<div style="display:none">Short &zwnj;&nbsp;&zwnj;&nbsp;</div>&zwnj;<p>Hello</p>',
    "brackets": "<p>Hello [name withheld], {{ first_name }} ({{ plan }}): all good. 100%% sure? 5 %% off.</p>",
}
VARS = {
    "first_name": "Ann",
    "export": "abc-123",
    "colour": "#fff",
    "product": "Ponies",
    "items": ["one", "two"],
    "plan": "pro",
    "credit": "5 EUR",
    "picture": "https://cdn.example.com/ann.png",
    "support": "support@example.com",
}
# Names and words that look like nothing, and are something; a credit that some have and some do not.
PEOPLE = (
    {"first_name": "Null", "plan": "none", "credit": "5 EUR"},
    {"first_name": "Nan", "plan": "free", "credit": None},
    {"first_name": "Nil", "plan": "N/A", "credit": "None of it"},
    {"first_name": "Ann Nancy", "plan": "Undefined Labs", "credit": None},
    {"first_name": "ANNA", "plan": "NULLARBOR", "credit": "nan-free"},
)
SUBJECTS = (
    "Sorry, {{ first_name }}: it was down for you",
    "Your API and SDK keys, {{ first_name }}",
    "Really? Yes! {{ first_name }}",
    "None of your data was lost",
    "{% if credit %}{{ credit }} for you{% else %}News{% endif %}",
    "NASA & ESA: {{ first_name }}, your tickets",
)
