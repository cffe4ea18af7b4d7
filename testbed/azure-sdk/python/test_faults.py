"""A vault, or Entra, that is not there, forbids, throttles or breaks."""

import time

from azure.core.exceptions import AzureError

from bed import IMPATIENT, LOGIN_HOST, ONE, SCOPE, Case, Vault, by_secret, control, mark, new_app, new_id, requests


class Faults(Case):
    def test_vault_that_does_not_resolve_is_an_error(self):
        vault = Vault("nxdomain-python", {})
        with self.assertRaises(AzureError):
            vault.secrets().get_secret("db")
        self.assertEqual(vault.log(), [])

    def test_identity_without_permission_is_forbidden(self):
        vault, client = self.vault(ONE), new_app(secrets=["x"])
        control("/permissions", {client: {vault.label: ["list"]}})
        secrets = vault.secrets(by_secret(client=client, secret="x"))
        texts = ["ForbiddenByRbac", "secrets/getSecret/action", f"appid={client}"]
        self.assert_refused(403, "Forbidden", lambda: secrets.get_secret("db"), *texts)
        self.assertEqual(len(list(secrets.list_properties_of_secrets())), 1)

    def test_token_of_another_tenant_is_refused(self):
        vault = self.vault({"tenant": new_id(), **ONE})
        # the SDK follows the vault's challenge only to tenants that the credential allows
        with self.assertRaises(AzureError):
            vault.secrets().get_secret("db")
        self.assertEqual(vault.log(), ["secrets.get 401"])

    def test_throttled_request_is_repeated_after_the_pause(self):
        vault = self.vault(ONE)
        vault.fault(status=429, retryAfter=1, times=1)
        start = time.monotonic()
        self.assertEqual(vault.secrets().get_secret("db").value, "s3cret")
        self.assertEqual(vault.log(), ["secrets.get 401", "secrets.get 429", "secrets.get 200"])
        self.assertGreaterEqual(time.monotonic() - start, 1)

    def test_throttling_that_lasts_is_an_error(self):
        vault = self.vault(ONE)
        vault.fault(status=429)
        secrets = vault.secrets(retry_total=2, **IMPATIENT)
        self.assert_refused(429, "Throttled", lambda: secrets.get_secret("db"))
        self.assertEqual(vault.log(), ["secrets.get 401"] + ["secrets.get 429"] * 3)

    def test_unavailable_vault_is_asked_again(self):
        vault = self.vault(ONE)
        vault.fault(status=503, times=2)
        self.assertEqual(vault.secrets().get_secret("db").value, "s3cret")
        self.assertEqual(vault.log(), ["secrets.get 401", "secrets.get 503", "secrets.get 503", "secrets.get 200"])

    def test_broken_connection_is_made_again(self):
        vault = self.vault(ONE)
        vault.fault(dropConnection=True, skip=1, times=1)
        self.assertEqual(vault.secrets().get_secret("db").value, "s3cret")

    def test_unavailable_entra_is_asked_again(self):
        control("/fault", {LOGIN_HOST: {"status": 503, "ops": ["token"], "times": 1}})
        since = mark()
        by_secret().get_token(SCOPE)
        self.assertEqual(requests(since, LOGIN_HOST, "token"), ["token 503", "token 200"])
