"""Self-signed certificates: https without an authority, for phones in the same network.

Browsers give a camera to https pages only. They warn once about a certificate that nobody vouches
for; whoever compares the fingerprint that is printed knows that it is the right one. The
certificate is kept, as a new one would be warned about at each start.
"""

import datetime
import ipaddress
from collections.abc import Sequence
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from kpviewer.config.files import CERTIFICATE_FILE
from kpviewer.errors import KpviewerError
from kpviewer.serving.tls import Certificate
from kpviewer.system.paths import write_atomically

_DAYS = 397
"""Validity in days: what browsers accept (CA/Browser Forum, SC-031)."""
_LEAST_DAYS = 14
"""Remaining validity below which a new one is made."""


def self_signed(folder: Path, names: Sequence[str]) -> Certificate:
    """Return the certificate of this machine, from a folder; make it if it is needed.

    Args:
        folder: folder of certificate and key, such as the settings folder.
        names: names and addresses that it must be for.

    Raises:
        KpviewerError: if the file can't be written.
    """
    path = folder / CERTIFICATE_FILE
    known = _read(path)
    if known is None or not _is_for(known, names):
        _write(path, _made(names))
    return Certificate(path)


def fingerprint(certificate: Certificate) -> str:
    """Return the SHA-256 fingerprint of a certificate, as browsers show it.

    Raises:
        KpviewerError: if the file can't be read.
    """
    known = _read(certificate.path)
    if known is None:
        raise KpviewerError(f"{certificate.path} is no certificate in PEM.")
    return known.fingerprint(hashes.SHA256()).hex(":").upper()


def _read(path: Path) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return None


def _is_for(certificate: x509.Certificate, names: Sequence[str]) -> bool:
    left = certificate.not_valid_after_utc - datetime.datetime.now(datetime.UTC)
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return False
    known = {str(each.value) for each in found}
    return left.days >= _LEAST_DAYS and known.issuperset(names)


def _made(names: Sequence[str]) -> bytes:
    """Return a new certificate and its key in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kpviewer on this machine")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS - 1))
        .add_extension(x509.SubjectAlternativeName([_named(each) for each in names]), False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return certificate.public_bytes(pem) + private


def _named(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(path: Path, pem: bytes) -> None:
    """Write a file that its user alone can read."""
    try:
        write_atomically(path, pem)
    except OSError as error:
        raise KpviewerError(
            f"The certificate can't be written to {path} ({error.strerror or error}). "
            "Make the folder writable, or give one with --tls-cert."
        ) from error
