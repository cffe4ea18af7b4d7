package azuresdk

import (
	"net/http"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// one is the content of a vault with one secret.
var one = object{"secrets": object{"db": object{"value": "s3cret"}}}

func TestVaultThatDoesNotResolveIsAnError(t *testing.T) {
	v := vault{t: t, label: "nxdomain-go"}
	_, err := v.secrets().GetSecret(t.Context(), "db", "", nil)
	if err == nil {
		t.Fatal("a vault that is not there answered")
	}
	equal(t, "requests", v.log(), "")
}

func TestIdentityWithoutPermissionIsForbidden(t *testing.T) {
	v, id := newVault(t, one), newApp(t, object{"secrets": []string{"x"}})
	control(t, "/permissions", object{id: object{v.label: []string{"list"}}})
	secrets := v.secretsAs(bySecret(t, tenant, id, "x"), impatient)
	_, err := secrets.GetSecret(t.Context(), "db", "", nil)
	refused(t, err, http.StatusForbidden, "Forbidden", "ForbiddenByRbac", "appid="+id,
		"Action: 'Microsoft.KeyVault/vaults/secrets/getSecret/action'")
	equal(t, "listed", len(list(t, secrets)), 1)
}

func TestTokenOfAnotherTenantIsRefused(t *testing.T) {
	v := newVault(t, object{"tenant": newID(t), "secrets": one["secrets"]})
	// the SDK follows the vault's challenge only to tenants that the credential allows
	_, err := v.secrets().GetSecret(t.Context(), "db", "", nil)
	if err == nil {
		t.Fatal("a vault of another tenant answered")
	}
	equal(t, "requests", v.log(), "secrets.get 401")
}

func TestThrottledRequestIsRepeatedAfterThePause(t *testing.T) {
	v := newVault(t, one)
	v.fault(object{"status": 429, "retryAfter": 1, "times": 1})
	start := time.Now()
	got, err := v.secrets().GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "value", *got.Value, "s3cret")
	equal(t, "requests", v.log(), "secrets.get 401, secrets.get 429, secrets.get 200")
	if waited := time.Since(start); waited < time.Second {
		t.Fatalf("waited for %v only", waited)
	}
}

func TestThrottlingThatLastsIsAnError(t *testing.T) {
	v := newVault(t, one)
	v.fault(object{"status": 429})
	options := azcore.ClientOptions{Retry: impatient.Retry}
	options.Retry.MaxRetries = 2
	_, err := v.secretsAs(bySecret(t, tenant, client, clientSecret), options).GetSecret(t.Context(), "db", "", nil)
	refused(t, err, http.StatusTooManyRequests, "Throttled")
	equal(t, "requests", v.log(), "secrets.get 401, secrets.get 429, secrets.get 429, secrets.get 429")
}

func TestUnavailableVaultIsAskedAgain(t *testing.T) {
	v := newVault(t, one)
	v.fault(object{"status": 503, "times": 2})
	got, err := v.secrets().GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "value", *got.Value, "s3cret")
	equal(t, "requests", v.log(), "secrets.get 401, secrets.get 503, secrets.get 503, secrets.get 200")
}

func TestBrokenConnectionIsMadeAgain(t *testing.T) {
	v := newVault(t, one)
	v.fault(object{"dropConnection": true, "skip": 1, "times": 1})
	got, err := v.secrets().GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "value", *got.Value, "s3cret")
}

func TestUnavailableEntraIsAskedAgain(t *testing.T) {
	control(t, "/fault", object{loginHost: object{"status": 503, "ops": []string{"token"}, "times": 1}})
	since := mark(t)
	_, err := token(t, bySecret(t, tenant, client, clientSecret))
	check(t, err)
	var asked []request
	for _, request := range requests(t, since, loginHost) {
		if request.Op == "token" {
			asked = append(asked, request)
		}
	}
	equal(t, "requests", summary(asked), "token 503, token 200")
}
