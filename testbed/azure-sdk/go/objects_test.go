package azuresdk

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net/http"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azcertificates"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
	"software.sslmate.com/src/go-pkcs12"
)

func TestRsaKeyIsRead(t *testing.T) {
	v := newVault(t, object{"keys": object{"signing": object{"kty": "RSA", "tags": object{"env": "demo"}}}})
	got, err := v.keys().GetKey(t.Context(), "signing", "", nil)
	check(t, err)
	equal(t, "type", *got.Key.Kty, azkeys.KeyTypeRSA)
	equal(t, "bits", new(big.Int).SetBytes(got.Key.N).BitLen(), 2048)
	equal(t, "exponent", new(big.Int).SetBytes(got.Key.E).Int64(), 65537)
	equal(t, "name", got.Key.KID.Name(), "signing")
	equal(t, "version", len(got.Key.KID.Version()), 32)
	equal(t, "tag", *got.Tags["env"], "demo")
	equal(t, "enabled", *got.Attributes.Enabled, true)
	equal(t, "private", len(got.Key.D), 0)
}

func TestEcKeyIsRead(t *testing.T) {
	v := newVault(t, object{"keys": object{"signing": object{"kty": "EC"}}})
	got, err := v.keys().GetKey(t.Context(), "signing", "", nil)
	check(t, err)
	equal(t, "type", *got.Key.Kty, azkeys.KeyTypeEC)
	equal(t, "curve", *got.Key.Crv, azkeys.CurveNameP256)
	point := append([]byte{4}, append(got.Key.X, got.Key.Y...)...)
	_, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	check(t, err)
	again, err := v.keys().GetKey(t.Context(), "signing", got.Key.KID.Version(), nil)
	check(t, err)
	equal(t, "same key", bytes.Equal(got.Key.X, again.Key.X), true)
}

func TestKeysAreListedPageByPage(t *testing.T) {
	v := newVault(t, object{"keys": repeated(object{"kty": "EC"})})
	names := map[string]bool{}
	for _, key := range all(t, v.keys().NewListKeyPropertiesPager(nil),
		func(page azkeys.ListKeyPropertiesResponse) []*azkeys.KeyProperties { return page.Value }) {
		names[key.KID.Name()] = true
	}
	equal(t, "names", len(names), 30)
	equal(t, "requests", v.log(), "keys.list 401, keys.list 200, keys.list 200")
}

func TestUnknownKeyIsNotFound(t *testing.T) {
	_, err := newVault(t, object{}).keys().GetKey(t.Context(), "nope", "", nil)
	refused(t, err, http.StatusNotFound, "KeyNotFound")
}

func TestCertificateIsRead(t *testing.T) {
	v := newVault(t, object{"certificates": object{"web": object{"fixture": "web-chain-pem"}}})
	got, err := v.certificates().GetCertificate(t.Context(), "web", "", nil)
	check(t, err)
	_, err = x509.ParseCertificate(got.CER)
	check(t, err)
	thumbprint := sha1.Sum(got.CER)
	equal(t, "thumbprint", bytes.Equal(got.X509Thumbprint, thumbprint[:]), true)
	equal(t, "name", got.ID.Name(), "web")
	equal(t, "key", got.KID.Name(), "web")
	equal(t, "secret", got.SID.Name(), "web")
	equal(t, "content type", *got.Policy.SecretProperties.ContentType, "application/x-pem-file")
	equal(t, "issuer", *got.Policy.IssuerParameters.Name, "Unknown")
	equal(t, "exportable", *got.Policy.KeyProperties.Exportable, true)
}

func TestCertificateHasItsSecret(t *testing.T) {
	v := newVault(t, object{"certificates": object{"web": object{"fixture": "web-pkcs12"}}})
	certificate, err := v.certificates().GetCertificate(t.Context(), "web", "", nil)
	check(t, err)
	got, err := v.secrets().GetSecret(t.Context(), certificate.SID.Name(), certificate.SID.Version(), nil)
	check(t, err)
	equal(t, "content type", *got.ContentType, "application/x-pkcs12")
	equal(t, "managed", *got.Managed, true)
	archive, err := base64.StdEncoding.DecodeString(*got.Value)
	check(t, err)
	_, leaf, _, err := pkcs12.DecodeChain(archive, "")
	check(t, err)
	equal(t, "same certificate", bytes.Equal(leaf.Raw, certificate.CER), true)
}

func TestCertificatesAreListedPageByPage(t *testing.T) {
	v := newVault(t, object{"certificates": repeated(object{"fixture": "web-ec-pem"})})
	names := map[string]bool{}
	for _, certificate := range all(t, v.certificates().NewListCertificatePropertiesPager(nil),
		func(page azcertificates.ListCertificatePropertiesResponse) []*azcertificates.CertificateProperties {
			return page.Value
		}) {
		names[certificate.ID.Name()] = true
		equal(t, "thumbprint", len(certificate.X509Thumbprint), sha1.Size)
	}
	equal(t, "names", len(names), 30)
}

func TestUnknownCertificateIsNotFound(t *testing.T) {
	_, err := newVault(t, object{}).certificates().GetCertificate(t.Context(), "nope", "", nil)
	refused(t, err, http.StatusNotFound, "CertificateNotFound")
}
