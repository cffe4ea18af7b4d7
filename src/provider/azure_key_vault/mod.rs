//! Azure Key Vault (`spec.provider.azurekv`).
