"""Sign-in to Entra: secrets, certificates, tokens of a cluster, and what is denied."""

import base64
import datetime
import os
import tempfile
import time

import jwt
from azure.identity import CertificateCredential, WorkloadIdentityCredential
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bed import (
    CLIENT,
    CLIENT_SECRET,
    IMPATIENT,
    LOGIN_HOST,
    ONE,
    SCOPE,
    TENANT,
    Case,
    by_secret,
    control,
    mark,
    new_app,
    new_id,
    requests,
)

ISSUER = "https://oidc.example/cluster"
AUDIENCE = "api://AzureADTokenExchange"
SUBJECT = "system:serviceaccount:demo:app"
PEM = serialization.Encoding.PEM


def new_key():
    return rsa.generate_private_key(65537, 2048)


def new_certificate():
    """A certificate, its PEM, and its key."""
    key = new_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sp.example")])
    now = datetime.datetime.now(datetime.timezone.utc)
    hour = datetime.timedelta(hours=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - hour, now + hour)
    certificate = builder.sign(key, hashes.SHA256())
    return certificate, certificate.public_bytes(PEM).decode(), key


def key_pem(key):
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def by_certificate(client, **file):
    return CertificateCredential(TENANT, client, **file, **IMPATIENT)


def new_cluster():
    """The key of a cluster; Entra is told of its public half."""
    key = new_key()
    numbers = key.public_key().public_numbers()

    def encode(number):
        octets = number.to_bytes((number.bit_length() + 7) // 8, "big")
        return base64.urlsafe_b64encode(octets).decode().rstrip("=")

    jwk = {"kty": "RSA", "kid": "cluster", "n": encode(numbers.n), "e": encode(numbers.e)}
    control("/jwks", {ISSUER: {"keys": [jwk]}})
    return key


class SignIn(Case):
    def by_token_file(self, client, key, subject=SUBJECT):
        """A credential of a ServiceAccount token in a file, signed with the key."""
        claims = {"iss": ISSUER, "sub": subject, "aud": [AUDIENCE], "exp": int(time.time()) + 3600}
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        file = os.path.join(directory.name, "token")
        with open(file, "w", encoding="ascii") as stream:
            stream.write(jwt.encode(claims, key, "RS256", headers={"kid": "cluster"}))
        self.environment(AZURE_FEDERATED_TOKEN_FILE=file, AZURE_TENANT_ID=TENANT, AZURE_CLIENT_ID=client)
        return WorkloadIdentityCredential(**IMPATIENT)

    def test_client_secret_signs_in(self):
        self.assert_reads(by_secret(), CLIENT)

    def test_client_certificate_signs_in(self):
        _, pem, key = new_certificate()
        client = new_app(certificates=[pem])
        self.assert_reads(by_certificate(client, certificate_data=pem.encode() + key_pem(key)), client)

    def test_client_certificate_in_an_archive_signs_in(self):
        certificate, pem, key = new_certificate()
        client = new_app(certificates=[pem])
        encryption = serialization.BestAvailableEncryption(b"pass")
        archive = pkcs12.serialize_key_and_certificates(b"sp", key, certificate, None, encryption)
        self.assert_reads(by_certificate(client, certificate_data=archive, password="pass"), client)

    def test_unregistered_certificate_is_denied(self):
        _, registered, _ = new_certificate()
        _, pem, key = new_certificate()
        client = new_app(certificates=[registered])
        credential = by_certificate(client, certificate_data=pem.encode() + key_pem(key))
        self.assert_denied(credential, "AADSTS700027: ")

    def test_federated_token_file_signs_in(self):
        client = new_app(issuers=[ISSUER], subjects=[SUBJECT])
        self.assert_reads(self.by_token_file(client, new_cluster()), client)

    def test_federated_token_of_another_subject_is_denied(self):
        client = new_app(issuers=[ISSUER], subjects=[SUBJECT])
        credential = self.by_token_file(client, new_cluster(), "system:serviceaccount:demo:other")
        self.assert_denied(credential, "AADSTS700213: ")

    def test_federated_token_of_an_untrusted_issuer_is_denied(self):
        client = new_app(issuers=["https://oidc.example/other"])
        self.assert_denied(self.by_token_file(client, new_cluster()), "AADSTS700211: ")

    def test_federated_token_of_a_forger_is_denied(self):
        client = new_app(issuers=[ISSUER])
        new_cluster()
        self.assert_denied(self.by_token_file(client, new_key()), "AADSTS50013: ")

    def test_wrong_secret_is_denied(self):
        self.assert_denied(by_secret(secret="wrong"), "AADSTS7000215: ")

    def test_expired_secret_is_denied(self):
        self.assert_denied(by_secret(secret="fake-expired-secret"), "AADSTS7000222: ")

    def test_unknown_client_is_denied(self):
        self.assert_denied(by_secret(client=new_id()), "AADSTS700016: ")

    def test_unknown_tenant_is_denied(self):
        # this SDK looks the tenant up first and words what it finds itself
        tenant, since = new_id(), mark()
        self.assert_denied(by_secret(tenant=tenant, secret=CLIENT_SECRET), tenant)
        self.assertEqual(requests(since, LOGIN_HOST, "openid")[-1:], ["openid 400"])

    def test_token_is_used_until_it_expires(self):
        vault, since = self.vault(ONE), mark()
        secrets = vault.secrets()
        for _ in range(3):
            secrets.get_secret("db")
        self.assertEqual(vault.log(), ["secrets.get 401"] + ["secrets.get 200"] * 3)
        self.assertEqual(requests(since, LOGIN_HOST, "token"), ["token 200"])

    def test_token_lives_as_long_as_entra_says(self):
        client = new_app(secrets=["x"], tokenSeconds=1800)
        left = by_secret(client=client, secret="x").get_token(SCOPE).expires_on - time.time()
        self.assertTrue(1700 < left <= 1800, left)
