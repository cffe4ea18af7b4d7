"""Managed identities: the metadata service and App Service's endpoint."""

from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from bed import (
    APP_SERVICE_HOST,
    CLIENT,
    IMPATIENT,
    METADATA_HOST,
    SCOPE,
    Case,
    control,
    mark,
    new_app,
    new_id,
    requests,
)


def by_identity(**identity):
    """A credential of the machine; system-assigned if no identity is named."""
    return ManagedIdentityCredential(**identity, **IMPATIENT)


class Identity(Case):
    def test_machine_without_identity_is_denied(self):
        control("/identities", {"": None})
        self.addCleanup(control, "/identities", {"": CLIENT})
        self.assert_denied(by_identity(), "Identity not found")

    def test_system_assigned_identity_signs_in(self):
        since = mark()
        self.assert_reads(by_identity(), CLIENT)
        self.assertEqual(requests(since, METADATA_HOST), ["identity 200"])

    def test_user_assigned_identity_signs_in_by_client(self):
        client = new_app()
        self.assert_reads(by_identity(client_id=client), client)

    def test_user_assigned_identity_signs_in_by_resource(self):
        client = new_app()
        resource = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ManagedIdentity/userAssignedIdentities/app"
        control("/identities", {resource: client})
        self.assert_reads(by_identity(identity_config={"resource_id": resource}), client)

    def test_unknown_identity_is_denied(self):
        self.assert_denied(by_identity(client_id=new_id()), "Identity not found")

    def test_busy_metadata_service_is_asked_again(self):
        control("/fault", {METADATA_HOST: {"status": 429, "times": 2}})
        since = mark()
        by_identity(client_id=new_app()).get_token(SCOPE)
        self.assertEqual(requests(since, METADATA_HOST), ["identity 429", "identity 429", "identity 200"])

    def test_app_service_identity_signs_in(self):
        self.environment(IDENTITY_ENDPOINT=f"http://{APP_SERVICE_HOST}/msi/token", IDENTITY_HEADER="fake-identity-header")
        client, since = new_app(), mark()
        self.assert_reads(by_identity(client_id=client), client)
        self.assertEqual(requests(since, APP_SERVICE_HOST), ["identity 200"])

    def test_default_credential_finds_the_machines_identity(self):
        client, since = new_app(), mark()
        self.environment(AZURE_CLIENT_ID=client)
        self.assert_reads(DefaultAzureCredential(), client)
        # it looks first whether anybody is there, as nobody may ask for a token
        self.assertEqual(requests(since, METADATA_HOST), ["identity 400", "identity 200"])
