//! The Secrets Manager call behind [`Vault`], and the only file that knows its shape.

use aws_sdk_secretsmanager::Client;
use payments::aws;
use zeroize::Zeroizing;

use crate::credentials::{Credentials, Vault};

/// The secret of this region: a replica answers without the region it comes from.
pub(crate) struct Secret {
    client: Client,
    name: String,
}

impl Secret {
    pub(crate) fn new(config: &aws::SdkConfig, name: &str) -> Self {
        Self { client: Client::new(config), name: name.to_owned() }
    }
}

impl Vault for Secret {
    async fn read(&self) -> Result<Credentials, String> {
        let read = self.client.get_secret_value().secret_id(&self.name).send().await;
        let read = read.map_err(|error| aws::failure("secretsmanager:GetSecretValue", &error))?;
        match (read.version_id, read.secret_string.map(Zeroizing::new)) {
            (Some(version), Some(key)) if !key.is_empty() => Ok(Credentials::new(version, key)),
            _ => Err("the secret has no text as its current value".into()),
        }
    }
}
