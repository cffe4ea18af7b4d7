"""Keys and certificates as a reader sees them."""

import base64
import hashlib

from azure.keyvault.keys import KeyCurveName, KeyType
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from bed import Case, repeated


class Objects(Case):
    def test_rsa_key_is_read(self):
        vault = self.vault({"keys": {"signing": {"kty": "RSA", "tags": {"env": "demo"}}}})
        got = vault.keys().get_key("signing")
        self.assertEqual((got.key_type, got.name), (KeyType.rsa, "signing"))
        self.assertEqual(int.from_bytes(got.key.n, "big").bit_length(), 2048)
        self.assertEqual(int.from_bytes(got.key.e, "big"), 65537)
        self.assertEqual(got.id, f"{vault.url}/keys/signing/{got.properties.version}")
        self.assertEqual((got.properties.tags, got.properties.enabled), ({"env": "demo"}, True))
        self.assertFalse(hasattr(got.key, "d") and got.key.d)

    def test_ec_key_is_read(self):
        keys = self.vault({"keys": {"signing": {"kty": "EC"}}}).keys()
        got = keys.get_key("signing")
        self.assertEqual((got.key_type, got.key.crv), (KeyType.ec, KeyCurveName.p_256))
        # fails for a point that is not on the curve
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), b"\x04" + got.key.x + got.key.y)
        self.assertEqual(keys.get_key("signing", got.properties.version).key.x, got.key.x)

    def test_keys_are_listed_page_by_page(self):
        vault = self.vault({"keys": repeated({"kty": "EC"})})
        names = [item.name for item in vault.keys().list_properties_of_keys()]
        self.assertEqual(sorted(names), sorted(repeated(None)))
        self.assertEqual(vault.log(), ["keys.list 401", "keys.list 200", "keys.list 200"])

    def test_unknown_key_is_not_found(self):
        keys = self.vault().keys()
        self.assert_refused(404, "KeyNotFound", lambda: keys.get_key("nope"))

    def test_certificate_is_read(self):
        vault = self.vault({"certificates": {"web": {"fixture": "web-chain-pem"}}})
        got = vault.certificates().get_certificate("web")
        self.assertEqual(x509.load_der_x509_certificate(bytes(got.cer)).public_bytes(Encoding.DER), bytes(got.cer))
        self.assertEqual(got.properties.x509_thumbprint, hashlib.sha1(got.cer).digest())
        self.assertEqual(got.name, "web")
        self.assertTrue(got.key_id.startswith(f"{vault.url}/keys/web/"), got.key_id)
        self.assertTrue(got.secret_id.startswith(f"{vault.url}/secrets/web/"), got.secret_id)
        self.assertEqual(got.policy.content_type, "application/x-pem-file")
        self.assertEqual((got.policy.issuer_name, got.policy.exportable), ("Unknown", True))

    def test_certificate_has_its_secret(self):
        vault = self.vault({"certificates": {"web": {"fixture": "web-pkcs12"}}})
        certificate = vault.certificates().get_certificate("web")
        got = vault.secrets().get_secret("web", certificate.secret_id.rsplit("/", 1)[1])
        self.assertEqual((got.properties.content_type, got.properties.managed), ("application/x-pkcs12", True))
        _, leaf, _ = pkcs12.load_key_and_certificates(base64.b64decode(got.value), None)
        self.assertEqual(leaf.public_bytes(Encoding.DER), bytes(certificate.cer))

    def test_certificates_are_listed_page_by_page(self):
        vault = self.vault({"certificates": repeated({"fixture": "web-ec-pem"})})
        listed = list(vault.certificates().list_properties_of_certificates())
        self.assertEqual({item.name for item in listed}, set(repeated(None)))
        self.assertEqual({len(item.x509_thumbprint) for item in listed}, {20})

    def test_unknown_certificate_is_not_found(self):
        certificates = self.vault().certificates()
        self.assert_refused(404, "CertificateNotFound", lambda: certificates.get_certificate("nope"))
