"""Real certificates, made by openssl: of a company's authority, and of servers, some of them wrong."""

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

AUTHORITY = """\
[ca]
default_ca = company
[company]
database = index.txt
serial = serial
new_certs_dir = .
certificate = authority.pem
private_key = authority.key
default_md = sha256
policy = any
[any]
commonName = supplied
"""
_DATES = {
    "expired": ("20200101000000Z", "20200102000000Z"),
    "not yet valid": ("20990101000000Z", "20990102000000Z"),
}
# What RFC 5280 asks for, and Python checks from 3.13 on.
_SERVER = """\
authorityKeyIdentifier=keyid
subjectKeyIdentifier=hash
basicConstraints=CA:FALSE
keyUsage=digitalSignature,keyEncipherment
extendedKeyUsage=serverAuth
"""
_NOW = ("20200101000000Z", "20990101000000Z")


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority in a folder; `bundle` is its own certificate."""

    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "authority.pem"

    def serving(self, kind: str = "good", host: str = "127.0.0.1") -> ssl.SSLContext:
        """The TLS of a server at the host. `kind`: good, expired, not yet valid, of another name, or its own."""
        name = kind.replace(" ", "-")
        subject = "DNS:other.example" if kind == "of another name" else f"IP:{host}"
        (self.folder / f"{name}.ext").write_text(f"subjectAltName={subject}\n{_SERVER}")
        new = f"req -newkey rsa:2048 -nodes -subj /CN={name} -keyout {name}.key"
        if kind == "its own":
            self._run(f"{new} -x509 -days 2 -addext subjectAltName={subject} -out {name}.pem")
        else:
            begin, end = _DATES.get(kind, _NOW)
            self._run(f"{new} -out {name}.csr")
            dates = f"-startdate {begin} -enddate {end}"
            self._run(f"ca -batch -config ca.cnf -in {name}.csr -out {name}.pem {dates} -extfile {name}.ext")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.folder / f"{name}.pem", self.folder / f"{name}.key")
        return context

    def _run(self, command: str) -> None:
        subprocess.run(["openssl", *command.split()], cwd=self.folder, check=True, capture_output=True)


def create_authority(folder: Path) -> Authority:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ca.cnf").write_text(AUTHORITY)
    (folder / "index.txt").write_text("")
    (folder / "index.txt.attr").write_text("unique_subject = no\n")
    (folder / "serial").write_text("01\n")
    authority = Authority(folder)
    authority._run(
        "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=Company -keyout authority.key -out authority.pem"
        " -addext keyUsage=critical,keyCertSign,cRLSign"
    )
    return authority
