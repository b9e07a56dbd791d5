"""The sandbox as real clients see it: Intercom's SDKs for Python and Node do the same, and see the same."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.sandbox import Sandbox
from runner.sandbox.subscriptions import SubscriptionType

NODE = Path(__file__).parent / "node"
EXPECTED = {
    "workspace": "msgrun-sandbox",
    "admins": ["Wash", "Zoe", "Kaylee"],
    "admin": "Wash",
    "tags": ["beta", "vip"],
    "segments": ["Active", "Slipping away"],
    "subscription_types": [["Digest", "opt_in", "live"], ["Old", "opt_out", "archived"]],
    "contact": "replies 1",
    "by_external_id": "replies 1",
    "contacts": 121,
    "resident": ["resident-03", 1, "location"],
    "subscriptions": ["Digest"],
    "several": ["resident-01", "resident-02"],
    "company": "Acme",
    "company_contacts": 40,
    "message": ["admin_message", "2001", "Hey"],
    "found": ["Wash", "email", 1],
    "conversations": 1,
    "parts": 1,
    "missing": [404, "not_found"],
    "stranger": [401, "unauthorized"],
}


def drive_python(url, _):
    import httpx  # noqa: PLC0415  # with the SDK a second, which only this test pays

    with httpx.Client() as connections:
        return drive_python_sdk(url, connections)


def drive_python_sdk(url, connections):
    from intercom import Intercom  # noqa: PLC0415  # as above
    from intercom.core.api_error import ApiError  # noqa: PLC0415

    client = Intercom(base_url=url, token="token", httpx_client=connections)
    stranger = Intercom(base_url=url, token="expired", httpx_client=connections)

    def status_of(call, **arguments):
        with pytest.raises(ApiError) as caught:
            call(**arguments)
        body = caught.value.body  # a dict, where the SDK does not foresee the status
        return [caught.value.status_code, body["errors"][0]["code"] if isinstance(body, dict) else body.errors[0].code]

    (contact,) = client.contacts.search(query={"field": "external_id", "operator": "=", "value": "replies 1"}).items
    (resident,) = client.contacts.search(query={"field": "name", "operator": "=", "value": "Resident 03"}).items
    subscriber = client.contacts.show_contact_by_external_id("resident-05").id
    emails = [f"resident-0{number}@sandbox.example" for number in (1, 2)]
    several = client.contacts.search(query={"field": "email", "operator": "IN", "value": emails}).items
    company = client.companies.retrieve(company_id="acme").data[0]
    message = client.messages.create(
        request={
            "message_type": "email",
            "subject": "Hey",
            "body": "Ponies",
            "template": "plain",
            "from": {"type": "admin", "id": 394051},
            "to": {"type": "user", "id": contact.id},
        }
    )
    (found,) = client.conversations.search(query={"field": "source.id", "operator": "=", "value": message.id}).items
    parts = client.conversations.find(found.id).conversation_parts.total_count
    return {
        "workspace": client.admins.identify().app.id_code,
        "admins": [admin.name for admin in client.admins.list().admins],
        "admin": client.admins.find(394051).name,
        "tags": [tag.name for tag in client.tags.list().data],
        "segments": [segment.name for segment in client.segments.list().segments],
        "subscription_types": [
            [one.default_translation.name, one.consent_type, one.state] for one in client.subscription_types.list().data
        ],
        "contact": client.contacts.find(contact.id).external_id,
        "by_external_id": client.contacts.show_contact_by_external_id("replies 1").external_id,
        "contacts": len(list(client.contacts.list(per_page=50))),
        "resident": [resident.external_id, resident.tags.total_count, resident.location.type],
        "subscriptions": [
            one.default_translation.name for one in client.contacts.list_attached_subscriptions(subscriber).data
        ],
        "several": sorted(contact.external_id for contact in several),
        "company": company.name,
        "company_contacts": client.companies.list_attached_contacts(company.id).total_count,
        "message": [message.type, message.id, message.subject],
        "found": [
            found.source.author.name,
            found.first_contact_reply.type,
            found.statistics.count_conversation_parts,
        ],
        "conversations": len(list(client.conversations.list(per_page=1))),
        "parts": parts,
        "missing": status_of(client.contacts.find, contact_id="missing"),
        "stranger": status_of(stranger.admins.list),
    }


def drive_node(url, folder):
    modules = install_node_sdk(folder)
    ran = subprocess.run(
        ["node", NODE / "drive.cjs", url],
        env={**os.environ, "NODE_PATH": str(modules)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def install_node_sdk(folder):
    """Installs the pinned SDK in a folder, if it is not there yet. Returns its modules."""
    if shutil.which("npm") is None:
        assert not os.environ.get("CI"), "CI needs npm for Intercom's Node SDK"
        pytest.skip("npm is not installed, so Intercom's Node SDK cannot be")
    lock = (NODE / "package-lock.json").read_bytes()
    modules = folder / "node_modules"
    if not (modules / ".package-lock.json").exists() or (folder / "package-lock.json").read_bytes() != lock:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(NODE / name, folder)
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder]
        installed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        assert installed.returncode == 0, installed.stderr
    return modules


@pytest.fixture
def sdk_folder(request, tmp_path):
    """A folder in pytest's cache, so that only the first of several runs installs an SDK; else an empty one."""
    cache = getattr(request.config, "cache", None)  # `-p no:cacheprovider` leaves it out
    return cache.mkdir("intercom-client") if cache else tmp_path


@pytest.mark.filterwarnings("ignore:Core Pydantic V1:UserWarning")  # of the Python SDK, from Python 3.14 on
@pytest.mark.parametrize("drive", [drive_python, drive_node])
def test_an_official_sdk_finds_everything_it_asks_for(drive, sdk_folder):
    types = (SubscriptionType("4", "Digest", "opt_in"), SubscriptionType("5", "Old", "opt_out", "archived"))
    with Sandbox(population=120) as sandbox:
        sandbox.subscriptions.types, sandbox.subscriptions.choices = types, {"resident-05": ["Digest"]}
        assert drive(sandbox.url, sdk_folder) == EXPECTED
