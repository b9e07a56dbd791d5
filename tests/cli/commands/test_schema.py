"""?"""

import json

from tests.support.project import Folder


def test_schema_prints_each_schema(folder: Folder) -> None:
    for kind in ("message", "project", "payload"):
        assert json.loads(folder.run("schema", kind).out)["$id"] == f"urn:msgrun:schema:{kind}"
