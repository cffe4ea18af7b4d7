package azuresdk

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/golang-jwt/jwt/v5"
	"software.sslmate.com/src/go-pkcs12"
)

const (
	issuer   = "https://oidc.example/cluster"
	audience = "api://AzureADTokenExchange"
	subject  = "system:serviceaccount:demo:app"
)

// newApp registers an application under an id that nobody else has.
func newApp(t *testing.T, app object) string {
	t.Helper()
	id := newID(t)
	control(t, "/entra", object{tenant: object{id: app}})
	return id
}

func newID(t *testing.T) string {
	t.Helper()
	digits, err := rand.Int(rand.Reader, big.NewInt(1_000_000_000_000))
	check(t, err)
	return "33333333-3333-3333-3333-" + strings.Repeat("0", 12-len(digits.String())) + digits.String()
}

func newKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	check(t, err)
	return key
}

func newCertificate(t *testing.T) (*x509.Certificate, *rsa.PrivateKey) {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "sp.example"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	check(t, err)
	certificate, err := x509.ParseCertificate(der)
	check(t, err)
	return certificate, key
}

func certificatePEM(certificate *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
}

// byCertificate is a credential of a file as users have it: PEM, or PKCS#12 with a password.
func byCertificate(t *testing.T, id string, file []byte, password string) azcore.TokenCredential {
	t.Helper()
	chain, key, err := azidentity.ParseCertificates(file, []byte(password))
	check(t, err)
	made, err := azidentity.NewClientCertificateCredential(tenant, id, chain, key,
		&azidentity.ClientCertificateCredentialOptions{ClientOptions: impatient})
	check(t, err)
	return made
}

func pemFile(t *testing.T, certificate *x509.Certificate, key crypto.PrivateKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	check(t, err)
	return append(certificatePEM(certificate), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
}

// byTokenFile is a credential of a ServiceAccount token in a file, signed with the key.
func byTokenFile(t *testing.T, id string, key *rsa.PrivateKey, subject string) azcore.TokenCredential {
	t.Helper()
	claims := jwt.MapClaims{"iss": issuer, "sub": subject, "aud": []string{audience}, "exp": time.Now().Add(time.Hour).Unix()}
	unsigned := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	unsigned.Header["kid"] = "cluster"
	signed, err := unsigned.SignedString(key)
	check(t, err)
	file := filepath.Join(t.TempDir(), "token")
	check(t, os.WriteFile(file, []byte(signed), 0o600))
	t.Setenv("AZURE_FEDERATED_TOKEN_FILE", file)
	t.Setenv("AZURE_TENANT_ID", tenant)
	t.Setenv("AZURE_CLIENT_ID", id)
	made, err := azidentity.NewWorkloadIdentityCredential(
		&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: impatient})
	check(t, err)
	return made
}

// newCluster makes the key of a cluster and tells Entra of its public half.
func newCluster(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key := newKey(t)
	encode := base64.RawURLEncoding.EncodeToString
	jwk := object{"kty": "RSA", "kid": "cluster", "n": encode(key.N.Bytes()), "e": encode(big.NewInt(int64(key.E)).Bytes())}
	control(t, "/jwks", object{issuer: object{"keys": []any{jwk}}})
	return key
}

func TestClientSecretSignsIn(t *testing.T) {
	reads(t, bySecret(t, tenant, client, clientSecret), client)
}

func TestClientCertificateSignsIn(t *testing.T) {
	certificate, key := newCertificate(t)
	id := newApp(t, object{"certificates": []string{string(certificatePEM(certificate))}})
	reads(t, byCertificate(t, id, pemFile(t, certificate, key), ""), id)
}

func TestClientCertificateInAnArchiveSignsIn(t *testing.T) {
	certificate, key := newCertificate(t)
	id := newApp(t, object{"certificates": []string{string(certificatePEM(certificate))}})
	archive, err := pkcs12.LegacyDES.Encode(key, certificate, nil, "pass")
	check(t, err)
	reads(t, byCertificate(t, id, archive, "pass"), id)
}

func TestUnregisteredCertificateIsDenied(t *testing.T) {
	registered, _ := newCertificate(t)
	certificate, key := newCertificate(t)
	id := newApp(t, object{"certificates": []string{string(certificatePEM(registered))}})
	_, err := token(t, byCertificate(t, id, pemFile(t, certificate, key), ""))
	denied(t, err, "AADSTS700027")
}

func TestFederatedTokenFileSignsIn(t *testing.T) {
	id := newApp(t, object{"issuers": []string{issuer}, "subjects": []string{subject}})
	reads(t, byTokenFile(t, id, newCluster(t), subject), id)
}

func TestFederatedTokenOfAnotherSubjectIsDenied(t *testing.T) {
	id := newApp(t, object{"issuers": []string{issuer}, "subjects": []string{subject}})
	_, err := token(t, byTokenFile(t, id, newCluster(t), "system:serviceaccount:demo:other"))
	denied(t, err, "AADSTS700213")
}

func TestFederatedTokenOfAnUntrustedIssuerIsDenied(t *testing.T) {
	id := newApp(t, object{"issuers": []string{"https://oidc.example/other"}})
	_, err := token(t, byTokenFile(t, id, newCluster(t), subject))
	denied(t, err, "AADSTS700211")
}

func TestFederatedTokenOfAForgerIsDenied(t *testing.T) {
	id := newApp(t, object{"issuers": []string{issuer}})
	newCluster(t)
	_, err := token(t, byTokenFile(t, id, newKey(t), subject))
	denied(t, err, "AADSTS50013")
}

func TestWrongSecretIsDenied(t *testing.T) {
	_, err := token(t, bySecret(t, tenant, client, "wrong"))
	denied(t, err, "AADSTS7000215")
}

func TestExpiredSecretIsDenied(t *testing.T) {
	_, err := token(t, bySecret(t, tenant, client, "fake-expired-secret"))
	denied(t, err, "AADSTS7000222")
}

func TestUnknownClientIsDenied(t *testing.T) {
	_, err := token(t, bySecret(t, tenant, newID(t), clientSecret))
	denied(t, err, "AADSTS700016")
}

func TestUnknownTenantIsDenied(t *testing.T) {
	_, err := token(t, bySecret(t, newID(t), client, clientSecret))
	denied(t, err, "AADSTS90002")
}

func TestTokenIsUsedUntilItExpires(t *testing.T) {
	v := newVault(t, object{"secrets": object{"db": object{"value": "s3cret"}}})
	since, secrets := mark(t), v.secrets()
	for range 3 {
		_, err := secrets.GetSecret(t.Context(), "db", "", nil)
		check(t, err)
	}
	equal(t, "requests", v.log(), "secrets.get 401, secrets.get 200, secrets.get 200, secrets.get 200")
	asked := 0
	for _, request := range requests(t, since, loginHost) {
		if request.Op == "token" {
			asked++
		}
	}
	equal(t, "requests for a token", asked, 1)
}

func TestTokenLivesAsLongAsEntraSays(t *testing.T) {
	id := newApp(t, object{"secrets": []string{"x"}, "tokenSeconds": 1800})
	got, err := token(t, bySecret(t, tenant, id, "x"))
	check(t, err)
	left := time.Until(got.ExpiresOn)
	if left < 1700*time.Second || left > 1800*time.Second {
		t.Fatalf("the token lives for %v", left)
	}
}
