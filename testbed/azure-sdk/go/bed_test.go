// Package azuresdk holds azfake to the Azure SDK for Go: what the SDK's own clients make of its answers.
//
// The SDK is used as it is and finds azfake by HTTPS_PROXY, HTTP_PROXY, NO_PROXY and SSL_CERT_FILE. The tests prepare
// azfake through its control API, whose URL is in AZFAKE_CONTROL; that is all they know of it. Each has a vault of
// its own. They run one after the other (`cargo xtask azure-sdks`), and the Python suite has tests of the same names.
package azuresdk

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// Known to azfake from the start.
const (
	tenant         = "11111111-1111-1111-1111-111111111111"
	client         = "22222222-2222-2222-2222-222222222222"
	clientSecret   = "fake-client-secret"
	loginHost      = "login.microsoftonline.com"
	metadataHost   = "169.254.169.254"
	appServiceHost = "169.254.131.2"
)

// object is a JSON object.
type object = map[string]any

// impatient makes the SDK's pauses short, where the test is not about them.
var impatient = azcore.ClientOptions{Retry: policy.RetryOptions{RetryDelay: 10 * time.Millisecond}}

// request is an entry of azfake's log.
type request struct {
	Op     string
	Path   string
	Status int
	Client string
}

func (r request) String() string { return r.Op + " " + strconv.Itoa(r.Status) }

// control calls azfake's control API, with a body by POST and without one by GET.
func control(t *testing.T, path string, body any) []byte {
	t.Helper()
	target := os.Getenv("AZFAKE_CONTROL") + path
	var answer *http.Response
	var err error
	if body == nil {
		answer, err = http.Get(target)
	} else {
		encoded, failed := json.Marshal(body)
		check(t, failed)
		answer, err = http.Post(target, "application/json", bytes.NewReader(encoded))
	}
	check(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	check(t, err)
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("control API: %s: %s %s", path, answer.Status, text)
	}
	return text
}

// mark is the place in azfake's log where the next request goes.
func mark(t *testing.T) uint64 {
	t.Helper()
	var answer struct{ Mark uint64 }
	check(t, json.Unmarshal(control(t, "/mark", nil), &answer))
	return answer.Mark
}

// requests are those that a host got from a mark on.
func requests(t *testing.T, since uint64, host string) []request {
	t.Helper()
	query := url.Values{"since": {strconv.FormatUint(since, 10)}, "host": {host}}
	var answer struct{ Entries []request }
	check(t, json.Unmarshal(control(t, "/log?"+query.Encode(), nil), &answer))
	return answer.Entries
}

// summary is what was asked and answered, such as `secrets.get 200`.
func summary(requests []request) string {
	words := make([]string, len(requests))
	for i, r := range requests {
		words[i] = r.String()
	}
	return strings.Join(words, ", ")
}

// vault is one that belongs to a test alone.
type vault struct {
	t     *testing.T
	label string
}

func newVault(t *testing.T, content object) vault {
	t.Helper()
	v := vault{t: t, label: strings.ToLower(t.Name())}
	control(t, "/seed", object{v.label: content})
	return v
}

func (v vault) host() string { return v.label + ".vault.azure.net" }

func (v vault) url() string { return "https://" + v.host() }

// log is what the vault was asked so far.
func (v vault) log() string { return summary(requests(v.t, 0, v.host())) }

// fault makes the vault misbehave.
func (v vault) fault(fault object) {
	v.t.Helper()
	control(v.t, "/fault", object{v.label: fault})
}

func (v vault) secretsAs(credential azcore.TokenCredential, options azcore.ClientOptions) *azsecrets.Client {
	v.t.Helper()
	made, err := azsecrets.NewClient(v.url(), credential, &azsecrets.ClientOptions{ClientOptions: options})
	check(v.t, err)
	return made
}

func (v vault) secrets() *azsecrets.Client {
	v.t.Helper()
	return v.secretsAs(bySecret(v.t, tenant, client, clientSecret), impatient)
}

func (v vault) keys() *azkeys.Client {
	v.t.Helper()
	made, err := azkeys.NewClient(v.url(), bySecret(v.t, tenant, client, clientSecret), nil)
	check(v.t, err)
	return made
}

func (v vault) certificates() *azcertificates.Client {
	v.t.Helper()
	made, err := azcertificates.NewClient(v.url(), bySecret(v.t, tenant, client, clientSecret), nil)
	check(v.t, err)
	return made
}

func bySecret(t *testing.T, tenant, client, secret string) azcore.TokenCredential {
	t.Helper()
	made, err := azidentity.NewClientSecretCredential(tenant, client, secret,
		&azidentity.ClientSecretCredentialOptions{ClientOptions: impatient})
	check(t, err)
	return made
}

// token asks a credential for a token for vaults.
func token(t *testing.T, credential azcore.TokenCredential) (azcore.AccessToken, error) {
	t.Helper()
	return credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{"https://vault.azure.net/.default"}})
}

// reads fails the test unless the credential reads a secret, and as that client.
func reads(t *testing.T, credential azcore.TokenCredential, as string) {
	t.Helper()
	v := newVault(t, object{"secrets": object{"db": object{"value": "s3cret"}}})
	got, err := v.secretsAs(credential, impatient).GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "value", *got.Value, "s3cret")
	log := requests(t, 0, v.host())
	// the SDK lets the vault tell it where to get a token
	equal(t, "requests", summary(log), "secrets.get 401, secrets.get 200")
	equal(t, "client", log[len(log)-1].Client, as)
}

// all reads a listing to its end.
func all[Page any, Item any](t *testing.T, pager interface {
	More() bool
	NextPage(context.Context) (Page, error)
}, items func(Page) []Item) []Item {
	t.Helper()
	var found []Item
	for pager.More() {
		page, err := pager.NextPage(t.Context())
		check(t, err)
		found = append(found, items(page)...)
	}
	return found
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}

// denied fails the test unless Entra refused to give a token, for this reason.
func denied(t *testing.T, err error, code string) {
	t.Helper()
	var failed *azidentity.AuthenticationFailedError
	if !errors.As(err, &failed) || !strings.Contains(err.Error(), code+": ") {
		t.Fatalf("want a denial with %s, got: %v", code, err)
	}
}

// refused fails the test unless a vault answered with this status and these codes (the inner one last).
func refused(t *testing.T, err error, status int, code string, inner ...string) {
	t.Helper()
	var response *azcore.ResponseError
	if !errors.As(err, &response) {
		t.Fatalf("want an answer with %d, got: %v", status, err)
	}
	equal(t, "status", response.StatusCode, status)
	equal(t, "code", response.ErrorCode, code)
	for _, word := range inner {
		if !strings.Contains(err.Error(), word) {
			t.Fatalf("%s is not in: %v", word, err)
		}
	}
}
