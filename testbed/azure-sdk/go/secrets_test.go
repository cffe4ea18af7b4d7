package azuresdk

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// repeated is a seed of 30 objects: more than a page.
func repeated(content object) object {
	seed := object{}
	for i := range 30 {
		seed[fmt.Sprintf("object-%02d", i)] = content
	}
	return seed
}

func list(t *testing.T, secrets *azsecrets.Client) []*azsecrets.SecretProperties {
	t.Helper()
	return all(t, secrets.NewListSecretPropertiesPager(nil),
		func(page azsecrets.ListSecretPropertiesResponse) []*azsecrets.SecretProperties { return page.Value })
}

func versions(t *testing.T, secrets *azsecrets.Client, name string) []*azsecrets.SecretProperties {
	t.Helper()
	return all(t, secrets.NewListSecretPropertiesVersionsPager(name, nil),
		func(page azsecrets.ListSecretPropertiesVersionsResponse) []*azsecrets.SecretProperties {
			return page.Value
		})
}

func deletedSecrets(t *testing.T, secrets *azsecrets.Client) []*azsecrets.DeletedSecretProperties {
	t.Helper()
	return all(t, secrets.NewListDeletedSecretPropertiesPager(nil),
		func(page azsecrets.ListDeletedSecretPropertiesResponse) []*azsecrets.DeletedSecretProperties {
			return page.Value
		})
}

func set(t *testing.T, secrets *azsecrets.Client, name, value string) azsecrets.SetSecretResponse {
	t.Helper()
	answer, err := secrets.SetSecret(t.Context(), name, azsecrets.SetSecretParameters{Value: to.Ptr(value)}, nil)
	check(t, err)
	return answer
}

func TestLatestVersionIsRead(t *testing.T) {
	v := newVault(t, object{"secrets": object{"db": object{"versions": []object{{"value": "old"}, {"value": "new"}}}}})
	got, err := v.secrets().GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "value", *got.Value, "new")
	equal(t, "name", got.ID.Name(), "db")
	if len(got.ID.Version()) != 32 || !strings.HasPrefix(string(*got.ID), v.url()+"/secrets/db/") {
		t.Fatalf("id: %s", *got.ID)
	}
}

func TestNamedVersionIsRead(t *testing.T) {
	v := newVault(t, object{"secrets": object{"db": object{"versions": []object{{"value": "old"}, {"value": "new"}}}}})
	secrets := v.secrets()
	values := map[string]bool{}
	for _, version := range versions(t, secrets, "db") {
		got, err := secrets.GetSecret(t.Context(), "db", version.ID.Version(), nil)
		check(t, err)
		equal(t, "version", got.ID.Version(), version.ID.Version())
		values[*got.Value] = true
	}
	if len(values) != 2 || !values["old"] || !values["new"] {
		t.Fatalf("values: %v", values)
	}
	_, err := secrets.GetSecret(t.Context(), "db", strings.Repeat("0", 32), nil)
	refused(t, err, http.StatusNotFound, "SecretNotFound")
}

func TestUnknownSecretIsNotFound(t *testing.T) {
	_, err := newVault(t, object{}).secrets().GetSecret(t.Context(), "nope", "", nil)
	refused(t, err, http.StatusNotFound, "SecretNotFound", "(name/id) nope was not found in this key vault")
}

func TestDisabledSecretIsForbidden(t *testing.T) {
	v := newVault(t, object{"secrets": object{"off": object{"value": "x", "enabled": false}}})
	secrets := v.secrets()
	_, err := secrets.GetSecret(t.Context(), "off", "", nil)
	refused(t, err, http.StatusForbidden, "Forbidden", "SecretDisabled")
	listed := list(t, secrets)
	equal(t, "listed", len(listed), 1)
	equal(t, "enabled", *listed[0].Attributes.Enabled, false)
}

func TestAttributesAreRead(t *testing.T) {
	from, until := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC), time.Date(2040, 1, 2, 3, 4, 5, 0, time.UTC)
	v := newVault(t, object{"secrets": object{"db": object{
		"value": "x", "tags": object{"env": "demo", "team": "a"}, "contentType": "text/plain",
		"nbf": from.Unix(), "exp": until.Unix(),
	}}})
	secrets := v.secrets()
	got, err := secrets.GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	listed := list(t, secrets)
	equal(t, "listed", len(listed), 1)
	for _, shown := range []azsecrets.SecretProperties{
		{Attributes: got.Attributes, ContentType: got.ContentType, Tags: got.Tags},
		{Attributes: listed[0].Attributes, ContentType: listed[0].ContentType, Tags: listed[0].Tags},
	} {
		equal(t, "tags", len(shown.Tags), 2)
		equal(t, "tag", *shown.Tags["env"], "demo")
		equal(t, "content type", *shown.ContentType, "text/plain")
		equal(t, "enabled", *shown.Attributes.Enabled, true)
		equal(t, "not before", shown.Attributes.NotBefore.UTC(), from)
		equal(t, "expires", shown.Attributes.Expires.UTC(), until)
		equal(t, "recovery level", *shown.Attributes.RecoveryLevel, "Recoverable+Purgeable")
		equal(t, "recoverable days", *shown.Attributes.RecoverableDays, 90)
		if shown.Attributes.Created.After(*shown.Attributes.Updated) {
			t.Fatalf("created %v, updated %v", shown.Attributes.Created, shown.Attributes.Updated)
		}
	}
}

func TestSecretsAreListedPageByPage(t *testing.T) {
	v := newVault(t, object{"secrets": repeated(object{"value": "x"})})
	names := map[string]bool{}
	for _, secret := range list(t, v.secrets()) {
		names[secret.ID.Name()] = true
		equal(t, "version", secret.ID.Version(), "")
	}
	equal(t, "names", len(names), 30)
	equal(t, "requests", v.log(), "secrets.list 401, secrets.list 200, secrets.list 200")
}

func TestVersionsAreListed(t *testing.T) {
	v := newVault(t, object{})
	secrets := v.secrets()
	var wanted []string
	for i := range 27 {
		wanted = append(wanted, set(t, secrets, "db", fmt.Sprint(i)).ID.Version())
	}
	found := map[string]bool{}
	for _, version := range versions(t, secrets, "db") {
		found[version.ID.Version()] = true
	}
	equal(t, "versions", len(found), len(wanted))
	for _, version := range wanted {
		if !found[version] {
			t.Fatalf("%s is missing", version)
		}
	}
}

func TestSetMakesANewVersion(t *testing.T) {
	secrets := newVault(t, object{}).secrets()
	first := set(t, secrets, "db", "one")
	second, err := secrets.SetSecret(t.Context(), "db", azsecrets.SetSecretParameters{
		Value: to.Ptr("two"), ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"env": to.Ptr("demo")},
		SecretAttributes: &azsecrets.SecretAttributes{Expires: to.Ptr(time.Unix(2_000_000_000, 0))},
	}, nil)
	check(t, err)
	if first.ID.Version() == second.ID.Version() {
		t.Fatal("no new version")
	}
	got, err := secrets.GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "id", *got.ID, *second.ID)
	equal(t, "value", *got.Value, "two")
	equal(t, "content type", *got.ContentType, "text/plain")
	equal(t, "tag", *got.Tags["env"], "demo")
	equal(t, "expires", got.Attributes.Expires.Unix(), 2_000_000_000)
}

func TestUpdateChangesAttributesOnly(t *testing.T) {
	secrets := newVault(t, object{}).secrets()
	made := set(t, secrets, "db", "one")
	changed, err := secrets.UpdateSecretProperties(t.Context(), "db", made.ID.Version(), azsecrets.UpdateSecretPropertiesParameters{
		ContentType: to.Ptr("text/plain"), Tags: map[string]*string{"env": to.Ptr("demo")},
		SecretAttributes: &azsecrets.SecretAttributes{Enabled: to.Ptr(true)},
	}, nil)
	check(t, err)
	equal(t, "id", *changed.ID, *made.ID)
	got, err := secrets.GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "id", *got.ID, *made.ID)
	equal(t, "value", *got.Value, "one")
	equal(t, "content type", *got.ContentType, "text/plain")
	equal(t, "tag", *got.Tags["env"], "demo")
	equal(t, "versions", len(versions(t, secrets, "db")), 1)
}

func TestDeletedSecretIsRecovered(t *testing.T) {
	secrets := newVault(t, object{"secrets": object{"db": object{"value": "x"}}}).secrets()
	gone, err := secrets.DeleteSecret(t.Context(), "db", nil)
	check(t, err)
	if gone.RecoveryID == nil || !gone.ScheduledPurgeDate.After(*gone.DeletedDate) {
		t.Fatalf("deleted secret: %+v", gone.DeletedSecret)
	}
	_, err = secrets.GetSecret(t.Context(), "db", "", nil)
	refused(t, err, http.StatusNotFound, "SecretNotFound")
	_, err = secrets.GetDeletedSecret(t.Context(), "db", nil)
	check(t, err)
	_, err = secrets.RecoverDeletedSecret(t.Context(), "db", nil)
	check(t, err)
	got, err := secrets.GetSecret(t.Context(), "db", "", nil)
	check(t, err)
	equal(t, "value", *got.Value, "x")
}

func TestDeletedSecretIsPurged(t *testing.T) {
	secrets := newVault(t, object{"secrets": object{"db": object{"value": "x"}}}).secrets()
	_, err := secrets.DeleteSecret(t.Context(), "db", nil)
	check(t, err)
	_, err = secrets.PurgeDeletedSecret(t.Context(), "db", nil)
	check(t, err)
	_, err = secrets.GetDeletedSecret(t.Context(), "db", nil)
	refused(t, err, http.StatusNotFound, "SecretNotFound")
	equal(t, "value", *set(t, secrets, "db", "y").Value, "y")
}

func TestDeletedSecretKeepsItsName(t *testing.T) {
	secrets := newVault(t, object{"secrets": object{"db": object{"value": "x"}}}).secrets()
	_, err := secrets.DeleteSecret(t.Context(), "db", nil)
	check(t, err)
	_, err = secrets.SetSecret(t.Context(), "db", azsecrets.SetSecretParameters{Value: to.Ptr("y")}, nil)
	refused(t, err, http.StatusConflict, "Conflict", "ObjectIsDeletedButRecoverable")
}

func TestDeletedSecretsAreListed(t *testing.T) {
	secrets := newVault(t, object{"secrets": object{"a": object{"value": "x"}, "b": object{"value": "x"}}}).secrets()
	_, err := secrets.DeleteSecret(t.Context(), "a", nil)
	check(t, err)
	gone, left := deletedSecrets(t, secrets), list(t, secrets)
	equal(t, "deleted", len(gone), 1)
	equal(t, "deleted", gone[0].ID.Name(), "a")
	equal(t, "left", len(left), 1)
	equal(t, "left", left[0].ID.Name(), "b")
}

func TestOversizedValueIsRefused(t *testing.T) {
	value := to.Ptr(strings.Repeat("x", 25*1024+1))
	_, err := newVault(t, object{}).secrets().SetSecret(t.Context(), "db", azsecrets.SetSecretParameters{Value: value}, nil)
	refused(t, err, http.StatusBadRequest, "BadParameter")
}
