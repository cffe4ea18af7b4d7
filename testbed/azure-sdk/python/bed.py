"""What the tests of the Azure SDK for Python share.

The SDK is used as it is and finds azfake by HTTPS_PROXY, HTTP_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE. The tests
prepare azfake through its control API, whose URL is in AZFAKE_CONTROL; that is all they know of it. Each has a vault of
its own. They run one after the other (`cargo xtask azure-sdks`), and the Go suite has tests of the same names.
"""

import json
import os
import random
import unittest
import unittest.mock
import urllib.parse
import urllib.request

from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity import ClientSecretCredential
from azure.keyvault.certificates import CertificateClient
from azure.keyvault.keys import KeyClient
from azure.keyvault.secrets import SecretClient

# known to azfake from the start
TENANT = "11111111-1111-1111-1111-111111111111"
CLIENT = "22222222-2222-2222-2222-222222222222"
CLIENT_SECRET = "fake-client-secret"
LOGIN_HOST = "login.microsoftonline.com"
METADATA_HOST = "169.254.169.254"
APP_SERVICE_HOST = "169.254.131.2"

SCOPE = "https://vault.azure.net/.default"

# makes the SDK's pauses short, where the test is not about them
IMPATIENT = {"retry_backoff_factor": 0.01}

# content of a vault with one secret
ONE = {"secrets": {"db": {"value": "s3cret"}}}

NO_PROXY = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def control(path, body=None):
    """Calls azfake's control API, with a body by POST and without one by GET."""
    data = None if body is None else json.dumps(body).encode()
    with NO_PROXY.open(os.environ["AZFAKE_CONTROL"] + path, data) as answer:
        return json.load(answer)


def mark():
    """The place in azfake's log where the next request goes."""
    return control("/mark")["mark"]


def requests(since, host, op=None):
    """What a host was asked from a mark on, and answered: `secrets.get 200`."""
    query = urllib.parse.urlencode({"since": since, "host": host})
    entries = control(f"/log?{query}")["entries"]
    return [f"{entry['op']} {entry['status']}" for entry in entries if op in (None, entry["op"])]


def new_id():
    """An id that nobody else has."""
    return f"33333333-3333-3333-3333-{random.randrange(10**12):012}"


def new_app(**app):
    """Registers an application and returns its id."""
    client = new_id()
    control("/entra", {TENANT: {client: app}})
    return client


def by_secret(tenant=TENANT, client=CLIENT, secret=CLIENT_SECRET):
    return ClientSecretCredential(tenant, client, secret, **IMPATIENT)


def repeated(content):
    """A seed of 30 objects: more than a page."""
    return {f"object-{number:02}": content for number in range(30)}


class Vault:
    """A vault that belongs to a test alone."""

    def __init__(self, label, content):
        self.label = label
        self.host = f"{label}.vault.azure.net"
        self.url = f"https://{self.host}"
        control("/seed", {label: content})

    def fault(self, **fault):
        """Makes the vault misbehave."""
        control("/fault", {self.label: fault})

    def log(self):
        """What the vault was asked so far."""
        return requests(0, self.host)

    def secrets(self, credential=None, **options):
        return SecretClient(self.url, credential or by_secret(), **(options or IMPATIENT))

    def keys(self):
        return KeyClient(self.url, by_secret())

    def certificates(self):
        return CertificateClient(self.url, by_secret())


class Case(unittest.TestCase):
    """A test with a vault."""

    def vault(self, content=None):
        return Vault(self._testMethodName.replace("_", "")[:63], content or {})

    def environment(self, **variables):
        """Sets environment variables until the test ends."""
        patch = unittest.mock.patch.dict(os.environ, variables)
        patch.start()
        self.addCleanup(patch.stop)

    def assert_reads(self, credential, client):
        """The credential reads a secret, and as that client."""
        vault = self.vault(ONE)
        self.assertEqual(vault.secrets(credential).get_secret("db").value, "s3cret")
        # the SDK lets the vault tell it where to get a token
        self.assertEqual(vault.log(), ["secrets.get 401", "secrets.get 200"])
        entries = control(f"/log?since=0&host={vault.host}")["entries"]
        self.assertEqual(entries[-1]["client"], client)

    def assert_denied(self, credential, text):
        """Entra, or the metadata service, gives no token, for this reason."""
        with self.assertRaises(ClientAuthenticationError) as caught:
            credential.get_token(SCOPE)
        self.assertIn(text, str(caught.exception))

    def assert_refused(self, status, code, call, *texts):
        """The vault answers with this status and code; returns the error."""
        with self.assertRaises(HttpResponseError) as caught:
            call()
        error = caught.exception
        self.assertEqual((error.status_code, error.error.code), (status, code))
        for text in texts:
            self.assertIn(text, error.response.text())
        return error
