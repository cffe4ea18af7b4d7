"""Secrets: reading, listing, writing, deleting."""

import datetime

from azure.core.exceptions import ResourceNotFoundError

from bed import Case, repeated

TWO_VERSIONS = {"secrets": {"db": {"versions": [{"value": "old"}, {"value": "new"}]}}}
UTC = datetime.timezone.utc


class Secrets(Case):
    def test_latest_version_is_read(self):
        vault = self.vault(TWO_VERSIONS)
        got = vault.secrets().get_secret("db")
        self.assertEqual((got.value, got.name), ("new", "db"))
        self.assertEqual(len(got.properties.version), 32)
        self.assertEqual(got.id, f"{vault.url}/secrets/db/{got.properties.version}")

    def test_named_version_is_read(self):
        secrets = self.vault(TWO_VERSIONS).secrets()
        values = set()
        for properties in secrets.list_properties_of_secret_versions("db"):
            got = secrets.get_secret("db", properties.version)
            self.assertEqual(got.properties.version, properties.version)
            values.add(got.value)
        self.assertEqual(values, {"old", "new"})
        self.assert_refused(404, "SecretNotFound", lambda: secrets.get_secret("db", "0" * 32))

    def test_unknown_secret_is_not_found(self):
        secrets = self.vault().secrets()
        error = self.assert_refused(404, "SecretNotFound", lambda: secrets.get_secret("nope"))
        self.assertIsInstance(error, ResourceNotFoundError)
        self.assertIn("(name/id) nope was not found in this key vault", error.message)

    def test_disabled_secret_is_forbidden(self):
        secrets = self.vault({"secrets": {"off": {"value": "x", "enabled": False}}}).secrets()
        self.assert_refused(403, "Forbidden", lambda: secrets.get_secret("off"), "SecretDisabled")
        self.assertEqual([item.enabled for item in secrets.list_properties_of_secrets()], [False])

    def test_attributes_are_read(self):
        start = datetime.datetime(2024, 5, 6, 7, 8, 9, tzinfo=UTC)
        end = datetime.datetime(2040, 1, 2, 3, 4, 5, tzinfo=UTC)
        tags = {"env": "demo", "team": "a"}
        content = {"value": "x", "tags": tags, "contentType": "text/plain"}
        content.update(nbf=int(start.timestamp()), exp=int(end.timestamp()))
        secrets = self.vault({"secrets": {"db": content}}).secrets()
        (listed,) = secrets.list_properties_of_secrets()
        for shown in [secrets.get_secret("db").properties, listed]:
            self.assertEqual((shown.tags, shown.content_type, shown.enabled), (tags, "text/plain", True))
            self.assertEqual((shown.not_before, shown.expires_on), (start, end))
            self.assertEqual((shown.recovery_level, shown.recoverable_days), ("Recoverable+Purgeable", 90))
            self.assertLessEqual(shown.created_on, shown.updated_on)

    def test_secrets_are_listed_page_by_page(self):
        vault = self.vault({"secrets": repeated({"value": "x"})})
        listed = list(vault.secrets().list_properties_of_secrets())
        self.assertEqual({item.name for item in listed}, set(repeated(None)))
        self.assertEqual({item.version for item in listed}, {None})
        self.assertEqual(vault.log(), ["secrets.list 401", "secrets.list 200", "secrets.list 200"])

    def test_versions_are_listed(self):
        secrets = self.vault().secrets()
        made = {secrets.set_secret("db", str(number)).properties.version for number in range(27)}
        listed = [item.version for item in secrets.list_properties_of_secret_versions("db")]
        self.assertEqual((len(listed), set(listed)), (27, made))

    def test_set_makes_a_new_version(self):
        secrets = self.vault().secrets()
        first = secrets.set_secret("db", "one")
        end = datetime.datetime(2033, 5, 18, tzinfo=UTC)
        second = secrets.set_secret("db", "two", content_type="text/plain", tags={"env": "demo"}, expires_on=end)
        self.assertNotEqual(first.id, second.id)
        got = secrets.get_secret("db")
        self.assertEqual((got.id, got.value), (second.id, "two"))
        self.assertEqual((got.properties.content_type, got.properties.tags), ("text/plain", {"env": "demo"}))
        self.assertEqual(got.properties.expires_on, end)

    def test_update_changes_attributes_only(self):
        secrets = self.vault().secrets()
        made = secrets.set_secret("db", "one")
        change = {"content_type": "text/plain", "tags": {"env": "demo"}, "enabled": True}
        changed = secrets.update_secret_properties("db", made.properties.version, **change)
        self.assertEqual(changed.id, made.id)
        got = secrets.get_secret("db")
        self.assertEqual((got.id, got.value), (made.id, "one"))
        self.assertEqual((got.properties.content_type, got.properties.tags), ("text/plain", {"env": "demo"}))
        self.assertEqual(len(list(secrets.list_properties_of_secret_versions("db"))), 1)

    def test_deleted_secret_is_recovered(self):
        secrets = self.vault({"secrets": {"db": {"value": "x"}}}).secrets()
        gone = secrets.begin_delete_secret("db").result()
        self.assertIsNotNone(gone.recovery_id)
        self.assertGreater(gone.scheduled_purge_date, gone.deleted_date)
        self.assert_refused(404, "SecretNotFound", lambda: secrets.get_secret("db"))
        self.assertEqual(secrets.get_deleted_secret("db").name, "db")
        self.assertEqual(secrets.begin_recover_deleted_secret("db").result().name, "db")
        self.assertEqual(secrets.get_secret("db").value, "x")

    def test_deleted_secret_is_purged(self):
        secrets = self.vault({"secrets": {"db": {"value": "x"}}}).secrets()
        secrets.begin_delete_secret("db").wait()
        secrets.purge_deleted_secret("db")
        self.assert_refused(404, "SecretNotFound", lambda: secrets.get_deleted_secret("db"))
        self.assertEqual(secrets.set_secret("db", "y").value, "y")

    def test_deleted_secret_keeps_its_name(self):
        secrets = self.vault({"secrets": {"db": {"value": "x"}}}).secrets()
        secrets.begin_delete_secret("db").wait()
        self.assert_refused(409, "Conflict", lambda: secrets.set_secret("db", "y"), "ObjectIsDeletedButRecoverable")

    def test_deleted_secrets_are_listed(self):
        secrets = self.vault({"secrets": {"a": {"value": "x"}, "b": {"value": "x"}}}).secrets()
        secrets.begin_delete_secret("a").wait()
        self.assertEqual([item.name for item in secrets.list_deleted_secrets()], ["a"])
        self.assertEqual([item.name for item in secrets.list_properties_of_secrets()], ["b"])

    def test_oversized_value_is_refused(self):
        secrets = self.vault().secrets()
        self.assert_refused(400, "BadParameter", lambda: secrets.set_secret("db", "x" * (25 * 1024 + 1)))
