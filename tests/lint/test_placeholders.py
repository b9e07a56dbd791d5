"""Placeholders as other tools document them are found, with what to write instead; ordinary punctuation is not."""

from __future__ import annotations

import pytest

from runner.lint.placeholders import find_placeholders, find_placeholders_in_url

# Of each tool: forms from its public documentation.
FORMS = {
    "Mailchimp, Mandrill": ["*|FNAME|*", "*|FIRST_NAME|Friend|*", "*| EMAIL |*", "*|LIST:COMPANY|*", "*|MERGE1|*"],
    "Mailchimp, mistyped or after Markdown": ["|*FNAME*|", "_|FNAME|_"],
    "ActiveCampaign": ["%FIRSTNAME%", "%CUSTOM_FIELD_NAME%", "%CONTACT.NAME%"],
    "Mailgun": ["%recipient.name%", "%recipient_name%", "%recipient.first_name|there%"],
    "Salesforce Marketing Cloud": ["%%first name%%", "%%FirstName%%", "%%=v(@firstName)=%%", "%%emailaddr%%"],
    "Salesforce": ["{!Contact.FirstName}", "{!$User.Email}", "{! Contact.Name }"],
    "Pardot, Acoustic, Listrak": ["%%first_name%%", "%%FirstName_%%", "%%!message_id%%", "%%merge members_.id_%%"],
    "SendGrid": ["-name-", "-firstName-", "-first_name-", "[%name%]", "<%name%>", "#first_name#", "-customerID-"],
    "Campaign Monitor": ["[firstname,fallback=there]", "[fullname]", "[firstname]", "[fullname, fallback=you]"],
    "Mailjet": ['[[data:firstname:"there"]]', "[[data:email]]"],
    "GetResponse, Omnisend": ["[[firstname]]", "[[ contact.first_name ]]", "[[email]]"],
    "Constant Contact": ["$SUBSCRIBER.FIRSTNAME$", '[[FIRSTNAME OR "Customer"]]'],
    "MailerLite, Smarty, WHMCS": ["{$name}", "{$contact.name}", "{$client_name|default:'there'}"],
    "Mautic": ["{leadfield=firstname}", "{contactfield=firstname|there}", "{unsubscribe_url}"],
    "Brevo, CleverReach, Vertical Response": ["{FIRSTNAME}", "{NAME}", "{FIRST_NAME}", "{PRENOM}"],
    "Elastic Email, rapidmail, Sailthru": ["{firstname}", "{first-name}", "{profile.vars.name}", "{first_name|there}"],
    "AWeber": ["{!firstname_fix}", "{!name}"],
    "Zoho": ["$[FNAME]$", "$[FNAME|Customer]$", "${Contacts.First Name}"],
    "Keap": ["~Contact.FirstName~", "~Owner.Email~"],
    "Moosend": ["#recipient:name#", "#campaign:subject#"],
    "Dotdigital": ["@FIRSTNAME@", "@EMAIL@"],
    "Emma": ["[% member:first_name %]", "[% member:first_name default=there %]"],
    "Responsys": ["$firstname$", "$lookup(FIRST_NAME)"],
    "Emarsys": ["$First Name$", "$email$"],
    "MailPoet": ["[subscriber:firstname | default:reader]", "[subscriber:email]"],
    "phpList": ["[FIRSTNAME]", "[FIRSTNAME%%there]", "[EMAIL]"],
    "Mailtrain": ["[FIRST_NAME]", "[MERGE_FIRST_NAME]", "[LINK_BROWSER]"],
    "Sendy": ["[Name,fallback=there]", "[Email]"],
    "Mailcoach": ["::subscriber.first_name::", "::name::"],
    "Autopilot, Etelligent": ["--First Name--", "--name--"],
    "E-marketeer": ["~~NAME~~", "~~EMAIL~~"],
    "Follow Up Boss": ["%contact_first_name%", "%agent_email%"],
    "Braze, Zendesk, in other braces": ["${first_name}", "{ticket.requester.name}"],
    "Word, Outlook": ["«First Name»", "«First_Name»", "« Vorname »", "<<First Name>>", "{ MERGEFIELD FirstName }"],
    "in other pairs of signs": ["@@first_name@@", "$(first_name)", "[#first_name]", "[@first_name]", "[!first_name!]"],
    "in two other pairs of signs": [
        "[*first_name*]",
        "{*first_name*}",
        "{(first_name)}",
        "\u2039first_name\u203a",
        "\uff5b\uff5bname\uff5d\uff5d",
    ],
    "JavaScript": ["[object Object]"],
    "by hand": ["[Your Name]", "[Insert Link Here]", "[COMPANY NAME]", "<First Name>", "[order number]", "[Vorname]"],
    "ERB, EJS, ASP, Adobe Campaign": ["<%= name %>", "<%- name -%>", "<%= recipient.firstName %>", "<%# Eval(name) %>"],
    "PHP": ["<?= $name ?>", "<?php echo $name; ?>"],
    "FreeMarker, Mako, JSP": ["${name}", '${user.name!"there"}', "${(user.name)!}", "<#if name??>", "</#if>"],
    "Velocity": ["$!{name}", "$!name", "$user.name", "$first_name", "${name}", "#if($name)", "$name"],
    "Thymeleaf": ["[[${user.name}]]", "[(${user.name})]", "*{name}", "#{welcome.name}"],
    "Ruby, Rails": ["#{name}", "%{name}", "%<name>s"],
    "Pug, Blade": ["!{name}", "{!! $name !!}"],
    "Razor": ["@Model.FirstName", "@ViewBag.Name"],
    "printf": ["%s", "%1$s", "%(name)s", "%@", "%d"],
    ".NET, Java, Python": ["{0}", "{1}", "{Name}", "{user.name}"],
    "ICU": ["{count, plural, one {# day} other {# days}}", "{gender, select, other {them}}"],
    "shell": ["${name:-there}", "$FIRST_NAME"],
    "spreadsheet add-ons": ["((fullname))", "##name##", "__FIRST_NAME__", "{First Name}", "{Person.First Name}"],
}


@pytest.mark.parametrize(("tool", "form"), [(tool, form) for tool, forms in FORMS.items() for form in forms])
def test_a_placeholder_of_another_tool_is_found_wherever_it_stands(tool, form):
    for text in (form, f"Hi {form}, your invoice", f"({form})", f"Dear\n{form}!"):
        found = next(find_placeholders(text))
        assert text.index(form) <= found.start < text.index(form) + len(form), tool


@pytest.mark.parametrize(
    ("form", "jinja"),
    [
        ("*|FNAME|*", "{{ first_name }}"),
        ("[FIRST_NAME]", "{{ first_name }}"),
        ("{leadfield=firstname}", "{{ first_name }}"),
        ("{contactfield=lastname|there}", "{{ last_name }}"),
        ("<%= name %>", "{{ name }}"),
        ("%recipient.name%", "{{ name }}"),
        ("«First Name»", "{{ first_name }}"),
        ("{!Contact.FirstName}", "{{ first_name }}"),
        ("$SUBSCRIBER.EMAIL$", "{{ email }}"),
        ('[[data:firstname:"there"]]', "{{ first_name }}"),
        ('${user.name!"there"}', "{{ name }}"),
        ("${name:-there}", "{{ name }}"),
        ("[subscriber:firstname | default:reader]", "{{ first_name }}"),
        ("[firstname,fallback=there]", "{{ first_name }}"),
        ("{name:there}", "{{ name }}"),
        ("{$client_name|default:'there'}", "{{ client_name }}"),
        ("%%=v(@firstName)=%%", "{{ first_name }}"),
        ("-customerID-", "{{ customer_id }}"),
        ("<?php echo $name; ?>", "{{ name }}"),
        ("*|IF:FNAME|*", "{% if first_name %} … {% endif %}"),
        ("<#if name??>", "{% if first_name %} … {% endif %}"),
        ("%s", "{{ first_name }}"),
    ],
)
def test_the_hint_has_the_form_of_jinja(form, jinja):
    (found,) = find_placeholders(f"Hi {form}")
    assert jinja in found.hint


HONEST = """\
[1] see [12] and [3, 4], [Smith 2020], [^1], [citation needed], [RFC 2119]
[sic] [...] […] [ ] todo [x] done [name withheld] [a] [b] [10% off] [5 min read] [10:30] [Mon-Fri]
It costs $20, $5.99, US$100 and A$30, $5k-$10k, $1,000, $AAPL and $TSLA rose
100% sure, 50% off, 5 %, 20%-30%, 50%/50%, 100 %, 20 % Rabatt auf 50 % der Artikel, 100%% sure? 5 %% off.
a < b, I <3 you, 1 <= 2 >= 1, a && b || c, x <- y, a->b
ann@example.com, @ann, @support_team, <http://example.com>, <ann@example.com>
{"a": 1, "name": "Ann"}, {"user":{"name":"x"}}, {a: 1, b: 2}, {a: 1}, {1,2} and {} and ${1}, {…}
[read on](https://example.com), [First Name](https://example.com/a), [name][1], **bold** __init__ *it* ~~old~~
p { margin: 0 } a{color:red} .x{font-size:12px} @media (max-width:600px){.w{width:100%}} #cols{color:#fff}
#1 in #marketing #news, #topic#, C# and F# and a#b#c, ### Heading ###, # if, #if it rains
Read /users/{id}/orders, args[name], array[index] = list[0], f(x) = {x | x > 0}, \\frac{a}{b}
[EXTERNAL] News, [RESOLVED] API errors, [Acme] New comment, [JIRA-123] Fixed, [GitHub] A run failed, [URGENT] [PDF]
[Customer Success] Hello, [Verify email] [Save the date] [Change address] [New date] Webinar, [Your order #123]
« tout » et « rien », «Hallo Welt» «Acme Pro» «iPhone», [iPhone]
--- Original Message ---, -- Ann, well-known mother-in-law, 2024-01-02, x - y - z, - name -, -Ann-
~5 minutes, ~10, ~ ~, :smile: :+1:, std::string::npos, foo::bar::baz, 10:30::45
Press {Ctrl}+{C}, {Shift}, {alt}, {Esc} or {F12}, {Cmd}+{Option}+{x}, the {Delete} key, {PgUp}
Drücken Sie {Strg}+{Entf} oder {Umschalt}, {Left Shift}, {Num Lock}
[Title] News, [Offer] Save 20 %, see [Body] and [Content], [Link], [Image], he goes here, the path goes here
C:\\Users\\name, a*b, c* and **d**, ((nested) parens), (see (a)), A_B_C
"""


@pytest.mark.parametrize("text", HONEST.splitlines())
def test_ordinary_punctuation_is_no_placeholder(text):
    assert [found.text for found in find_placeholders(text)] == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Hi {home}, {space} and {option}", ["{home}", "{space}", "{option}"]),
        ("{tab_name}", ["{tab_name}"]),
        ("[Title]", ["[Title]"]),
        ("Hi\n  [Headline]  \n[Body]\nBye", ["[Headline]", "[Body]"]),
        ("[Your Name]\n[Signature]", ["[Your Name]", "[Signature]"]),
        ("Lorem ipsum dolor sit amet", ["Lorem ipsum"]),
        ("… LOREM IPSUM", ["LOREM IPSUM"]),
        ("Your text goes here", ["text goes here"]),
        ("Headline goes here.", ["Headline goes here"]),
    ],
)
def test_a_text_that_only_fills_a_layout_is_found(text, found):
    assert [placeholder.text for placeholder in find_placeholders(text)] == found


def test_filler_has_a_code_of_its_own_in_the_text_and_in_a_value(lint):
    hint = "write the text that belongs here"
    for keys in ({"body": "<p>Text goes here.</p>"}, {"body": "<p>{{ x }}</p>", "vars": {"x": "Text goes here"}}):
        (found,) = lint(**keys)
        assert (found.code, found.hint, "is sent as it stands" in found.message) == ("filler-text", hint, True)


@pytest.mark.parametrize("number", ["{{1}}", "{{ 1 }}", "{{2}}", "{{12}}", "{{- 3 -}}"])
def test_numbered_placeholders_are_found_wherever_they_stand(number, lint):
    for body in (f"<p>Hi {number}</p>", f"<p><a href='https://example.com/{number}'>x</a></p>"):
        (found,) = lint(body=body)
        assert (found.code, found.hint) == ("single-brace", "write the name of a variable in it: {{ first_name }}")
    (found,) = lint(subject=f"Order {number} is on its way")
    assert found.code == "single-brace"
    assert lint(body="<p>{{ 1 + 1 }} {{ product }} {{ 2026 }}</p>") == []


@pytest.mark.parametrize(
    ("tag", "code", "hint"),
    [
        ("<First Name>", "single-brace", "write {{ first_name }} in place of it, without < and >"),
        ("<<First Name>>", "single-brace", "write {{ first_name }} in place of it, without < and >"),
        ("<first_name>", "single-brace", "write {{ first_name }} in place of it, without < and >"),
        ("<customer.email>", "single-brace", "write {{ email }} in place of it, without < and >"),
        ("<Vorname>", "single-brace", "write {{ vorname }} in place of it, without < and >"),
        ("<foo bar>", "unknown-tag", "for a value write {{ foo_bar }}, for a literal < write &lt;"),
        ("<strang>", "unknown-tag", "did you mean <strong>? For a literal < write &lt;"),
        ("<mj-text>", "unknown-tag", "this is MJML: compile it to HTML first"),
        ("<bo@example.com>", "unknown-tag", "write &lt; for a literal <, or use a tag of HTML"),
    ],
)
def test_a_tag_that_html_does_not_know_is_explained(tag, code, hint, lint):
    found = lint(body=f"<p>Hi {tag}, hello</p>")
    assert {(problem.code) for problem in found} == {code}
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("url", "jinja"),
    [
        ("https://example.com/?e=%25%25email%25%25", "{{ email | urlencode }}"),
        ("https://example.com/?e=%7B%7Bemail%7D%7D", "{{ email | urlencode }}"),
        ("https://example.com/%7Bfirst_name%7D", "{{ first_name }}"),
        ("https://example.com/?a=%2524%257Bname%257D", "{{ name | urlencode }}"),
        ("https://example.com/?e=*%7CEMAIL%7C*", "{{ email | urlencode }}"),
        ("https://example.com/?e=%5BEMAIL%5D&a=1", "{{ email | urlencode }}"),
        ("https://example.com/?n=%3C%25%3D%20name%20%25%3E", "{{ name | urlencode }}"),
        ("https://example.com/users/{id}", "{{ id }}"),
        ("https://example.com/?e=%EMAIL%&a=1", "{{ email | urlencode }}"),
        ("https://example.com/?d=%DATE%", "{{ date | urlencode }}"),
        ("https://example.com/offer?id=-customerID-", "{{ customer_id | urlencode }}"),
        ("https://example.com/?q=%s", "{{ first_name | urlencode }}"),
        ("[unsubscribe]", "{{ unsubscribe }}"),
        ("https://example.com/[webversion]", "{{ webversion }}"),
        ("mailto:%recipient.email%", "{{ email }}"),
    ],
)
def test_a_placeholder_in_a_link_is_found_also_percent_encoded(url, jinja):
    (found,) = find_placeholders_in_url(url)
    assert jinja in found.hint


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/a?b=1&c=2,d;e:f=g",
        "https://example.com/?filter[name]=x&a[]=1",
        "https://example.com/?$filter=name&$select=id",
        "https://medium.com/@name/what-is-your-name-and-why",
        "https://example.com/%E2%82%AC/%C3%BCber%20uns/D%C3%A9partement%20name",
        "https://example.com/%d0%bf%d1%80%d0%b8?q=100%25",
        "https://example.com/?d=%7B%22a%22%3A1%7D",
        "https://example.com/?u=https%3A%2F%2Fexample.com%2F%3Fa%3D1",
        "https://[2001:db8::1]/~ann/#top",
        "mailto:ann@example.com?subject=Hi%20there&body=%0A%0A",
    ],
)
def test_an_ordinary_link_holds_no_placeholder(url):
    assert list(find_placeholders_in_url(url)) == []


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ("<p>Hi &lt;%= name %&gt;</p>", "messages/m.yaml:1:14"),
        ("<p>&laquo;First Name&raquo;</p>", "messages/m.yaml:1:11"),
        ("<p>Hi &#123;name&#125;</p>", "messages/m.yaml:1:14"),
        ("<p>Hi <?= $name ?></p>", "messages/m.yaml:1:14"),
        ("<p><a href='https://example.com/?e=%5BEMAIL%5D'>x</a></p>", "messages/m.yaml:1:11"),
        ("<p>https://example.com/?e=%7Bemail%7D</p>", "messages/m.yaml:1:11"),
        ("<p>https://example.com/?e={email}</p>", "messages/m.yaml:1:34"),
        ("<p><img src='https://example.com/{{ product }}/%FNAME%.png' alt='For [Name]'></p>", "messages/m.yaml:1:11"),
    ],
)
def test_a_placeholder_is_found_in_text_and_attributes_and_behind_entities(body, place, lint):
    rest = "name: m\nmessage_type: inapp\nto: {type: user, id: u1}\nfrom: {type: admin, id: 1}\nexpires: 2999-12-01\n"
    rest += "vars: {product: a}\ncreate_conversation_without_contact_reply: true\n"
    (found,) = lint(f'body: "{body}"\n{rest}')
    assert (found.code, str(found.place)) == ("single-brace", place)


@pytest.mark.parametrize("value", ["[FIRST_NAME]", "%FIRSTNAME%", "«Vorname»", "<%= name %>", "${name}", "*|FNAME|*"])
def test_a_placeholder_in_a_value_is_found_for_its_recipient(value, lint):
    to = [{"type": "user", "id": f"u{n}", "vars": {"n": text}} for n, text in enumerate(("Ann", value, "100% Bo [1]"))]
    (found,) = lint(body="<p>Hi {{ n }}</p>", to=to)
    assert (found.code, found.recipient, found.place.column) == ("single-brace", "recipient 2", 13)
    assert "value of n" in found.hint


def test_code_samples_and_api_addresses_hold_no_placeholders(codes):
    assert codes(body="<p><code>{name}</code> or GET https://api.example.com/v2/users/{id}</p><pre>[NAME]</pre>") == []


def test_what_only_outlook_reads_is_checked_for_placeholders_and_links(lint):
    body = "<p>Hi</p>\n<!--[if mso]><v:roundrect href='{}' arcsize='5%'><center>{}</center></v:roundrect><![endif]-->"
    assert lint(body=body.format("https://example.com", "Go")) == []
    assert [f.code for f in lint(body=body.format("https://example.com", "*|NAME|*"))] == ["single-brace"]
    assert [f.code for f in lint(body=body.format("%%link%%", "Go"))] == ["single-brace"]
    assert [f.code for f in lint(body=body.format("htps://example.com", "Go"))] == ["malformed-link"]
    assert lint(body="<p>Hi</p><!-- [FIRST_NAME] --><!--[if !mso]><!--><p>Bye</p><!--<![endif]-->") == []
