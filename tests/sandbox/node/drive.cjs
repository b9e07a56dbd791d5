// Drives a sandbox with Intercom's Node SDK, and prints what it saw as JSON. Usage: node drive.cjs URL

const { IntercomClient } = require("intercom-client");

async function main(url) {
  const client = new IntercomClient({ token: "token", environment: url, maxRetries: 0 });
  const seen = {};

  const me = await client.admins.identify();
  seen.workspace = me.app.id_code;
  seen.admins = (await client.admins.list()).admins.map((admin) => admin.name);
  seen.admin = (await client.admins.find({ admin_id: 394051 })).name;
  const tags = (await client.tags.list()).data;
  seen.tags = tags.map((tag) => tag.name);
  const segments = (await client.segments.list()).segments;
  seen.segments = segments.map((segment) => segment.name);
  const types = (await client.subscriptionTypes.list()).data;
  seen.subscription_types = types.map((one) => [one.default_translation.name, one.consent_type, one.state]);

  const byExternalId = { field: "external_id", operator: "=", value: "replies 1" };
  const contact = (await client.contacts.search({ query: byExternalId })).data[0];
  seen.contact = (await client.contacts.find({ contact_id: contact.id })).external_id;
  seen.by_external_id = (await client.contacts.showContactByExternalId({ external_id: "replies 1" })).external_id;
  let count = 0;
  for await (const one of await client.contacts.list({ per_page: 50 })) count += one.id ? 1 : 0;
  seen.contacts = count;
  const query = { field: "name", operator: "=", value: "Resident 03" };
  const resident = (await client.contacts.search({ query })).data[0];
  seen.resident = [resident.external_id, resident.tags.total_count, resident.location.type];
  const subscriber = (await client.contacts.showContactByExternalId({ external_id: "resident-05" })).id;
  const subscriptions = await client.contacts.listAttachedSubscriptions({ contact_id: subscriber });
  seen.subscriptions = subscriptions.data.map((one) => one.default_translation.name);
  const emails = [1, 2].map((number) => `resident-0${number}@sandbox.example`);
  const several = (await client.contacts.search({ query: { field: "email", operator: "IN", value: emails } })).data;
  seen.several = several.map((contact) => contact.external_id).sort();

  const company = (await client.companies.retrieve({ company_id: "acme" })).data[0];
  seen.company = company.name;
  seen.company_contacts = (await client.companies.listAttachedContacts({ company_id: company.id })).total_count;

  const message = await client.messages.create({
    message_type: "email",
    subject: "Hey",
    body: "Ponies",
    template: "plain",
    from: { type: "admin", id: 394051 },
    to: { type: "user", id: contact.id },
  });
  seen.message = [message.type, message.id, message.subject];
  const found = (await client.conversations.search({ query: { field: "source.id", operator: "=", value: message.id } }))
    .data[0];
  seen.found = [found.source.author.name, found.first_contact_reply.type, found.statistics.count_conversation_parts];
  seen.conversations = 0;
  for await (const one of await client.conversations.list({ per_page: 1 })) seen.conversations += one.id ? 1 : 0;
  seen.parts = (await client.conversations.find({ conversation_id: found.id })).conversation_parts.total_count;

  seen.missing = await statusOf(client.contacts.find({ contact_id: "missing" }));
  const stranger = new IntercomClient({ token: "expired", environment: url, maxRetries: 0 });
  seen.stranger = await statusOf(stranger.admins.list());
  return seen;
}

async function statusOf(answer) {
  try {
    await answer;
  } catch (error) {
    return [error.statusCode, error.body.errors[0].code];
  }
  return [200, ""];
}

main(process.argv[2]).then((seen) => console.log(JSON.stringify(seen)));
