package azuresdk

import (
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// byIdentity is a credential of the machine; a nil id is the system-assigned identity.
func byIdentity(t *testing.T, id azidentity.ManagedIDKind) azcore.TokenCredential {
	t.Helper()
	options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: impatient, ID: id}
	made, err := azidentity.NewManagedIdentityCredential(options)
	check(t, err)
	return made
}

// Before the system-assigned identity signs in: the SDK keeps tokens of the machine for the process.
func TestMachineWithoutIdentityIsDenied(t *testing.T) {
	control(t, "/identities", object{"": nil})
	t.Cleanup(func() { control(t, "/identities", object{"": client}) })
	_, err := token(t, byIdentity(t, nil))
	if err == nil || !strings.Contains(err.Error(), "Identity not found") {
		t.Fatalf("want a denial, got: %v", err)
	}
}

func TestSystemAssignedIdentitySignsIn(t *testing.T) {
	since := mark(t)
	reads(t, byIdentity(t, nil), client)
	equal(t, "requests", summary(requests(t, since, metadataHost)), "identity 200")
}

func TestUserAssignedIdentitySignsInByClient(t *testing.T) {
	id := newApp(t, object{})
	reads(t, byIdentity(t, azidentity.ClientID(id)), id)
}

func TestUserAssignedIdentitySignsInByResource(t *testing.T) {
	id, resource := newApp(t, object{}), "/subscriptions/s/resourceGroups/g/providers/"+
		"Microsoft.ManagedIdentity/userAssignedIdentities/app"
	control(t, "/identities", object{resource: id})
	reads(t, byIdentity(t, azidentity.ResourceID(resource)), id)
}

func TestUnknownIdentityIsDenied(t *testing.T) {
	_, err := token(t, byIdentity(t, azidentity.ClientID(newID(t))))
	if err == nil || !strings.Contains(err.Error(), "Identity not found") {
		t.Fatalf("want a denial, got: %v", err)
	}
}

func TestBusyMetadataServiceIsAskedAgain(t *testing.T) {
	id := newApp(t, object{})
	control(t, "/fault", object{metadataHost: object{"status": 429, "times": 2}})
	since := mark(t)
	_, err := token(t, byIdentity(t, azidentity.ClientID(id)))
	check(t, err)
	equal(t, "requests", summary(requests(t, since, metadataHost)), "identity 429, identity 429, identity 200")
}

func TestAppServiceIdentitySignsIn(t *testing.T) {
	t.Setenv("IDENTITY_ENDPOINT", "http://"+appServiceHost+"/msi/token")
	t.Setenv("IDENTITY_HEADER", "fake-identity-header")
	id, since := newApp(t, object{}), mark(t)
	reads(t, byIdentity(t, azidentity.ClientID(id)), id)
	equal(t, "requests", summary(requests(t, since, appServiceHost)), "identity 200")
}

func TestDefaultCredentialFindsTheMachinesIdentity(t *testing.T) {
	id, since := newApp(t, object{}), mark(t)
	t.Setenv("AZURE_CLIENT_ID", id)
	credential, err := azidentity.NewDefaultAzureCredential(
		&azidentity.DefaultAzureCredentialOptions{ClientOptions: impatient})
	check(t, err)
	reads(t, credential, id)
	// it looks first whether anybody is there, as nobody may ask for a token
	equal(t, "requests", summary(requests(t, since, metadataHost)), "identity 400, identity 200")
}
