//! The payment gateway, as far as taking a payment needs to know.
//!
//! There is no gateway in this repository. [`Simulated`] stands where its client goes: it signs what would be sent,
//! sends nothing, and approves. What a real one has to keep is in [`Gateway`].

use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use payments::Payment;
use sha2::Sha256;

use crate::credentials::{Credentials, Keyring, Vault};

/// Authorises payments.
pub(crate) trait Gateway {
    /// Asks for authorisation under the payment's transaction id. Asking twice under one id is asking once: a payment is
    /// authorised before it is written down, and whoever repeats it asks again.
    async fn authorize(&self, payment: &Payment, credentials: &Credentials) -> Result<(), Refusal>;
}

/// Why there is no authorisation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The gateway does not take these credentials: they were rotated, perhaps.
    #[cfg_attr(not(test), expect(dead_code, reason = "the simulated gateway takes any credentials"))]
    Credentials,
    /// They cannot be used, or the gateway did not answer.
    Failed(String),
}

/// A gateway that approves everything, signed with whatever the secret holds.
pub(crate) struct Simulated;

impl Gateway for Simulated {
    async fn authorize(&self, payment: &Payment, credentials: &Credentials) -> Result<(), Refusal> {
        signature(payment, credentials).map(|_| ())
    }
}

/// The signature of the request that a gateway would get: of what identifies the payment, in a fixed order.
fn signature(payment: &Payment, credentials: &Credentials) -> Result<[u8; 32], Refusal> {
    let mut mac = Hmac::<Sha256>::new_from_slice(credentials.key())
        .map_err(|_| Refusal::Failed("the credentials cannot sign".into()))?;
    for part in [payment.receipt.transaction_id.as_str(), payment.request.fingerprint().as_str()] {
        mac.update(part.as_bytes());
        mac.update(b"\0");
    }
    Ok(mac.finalize().into_bytes().into())
}

/// Has a payment authorised, with credentials read anew if the gateway refuses those at hand. Says which version of
/// them did it.
async fn authorized<V: Vault>(
    payment: &Payment,
    gateway: &impl Gateway,
    keyring: &Keyring<V>,
    now: SystemTime,
) -> Result<String, String> {
    let credentials = keyring.current(now).await?;
    match gateway.authorize(payment, &credentials).await {
        Ok(()) => return Ok(credentials.version),
        Err(Refusal::Failed(cause)) => return Err(cause),
        Err(Refusal::Credentials) => {}
    }
    let others = keyring.instead_of(&credentials, now).await?;
    match gateway.authorize(payment, &others).await {
        Ok(()) => Ok(others.version),
        Err(Refusal::Failed(cause)) => Err(cause),
        Err(Refusal::Credentials) => Err(format!("the gateway refuses version {} of the credentials", others.version)),
    }
}

/// Has payments authorised, or need not.
pub(crate) trait Authority {
    /// Has this payment authorised. Says which version of the credentials did it; `None` in a system that has none.
    async fn authorize(&self, payment: &Payment) -> Result<Option<String>, String>;
}

/// A gateway and the credentials for it.
pub(crate) struct Authorized<G, V> {
    pub(crate) gateway: G,
    /// `None` in a system without a secret: then nothing is asked of the gateway.
    pub(crate) keyring: Option<Keyring<V>>,
}

impl<G: Gateway, V: Vault> Authority for Authorized<G, V> {
    async fn authorize(&self, payment: &Payment) -> Result<Option<String>, String> {
        match &self.keyring {
            Some(keyring) => authorized(payment, &self.gateway, keyring, SystemTime::now()).await.map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use payments::{PaymentRequest, TransactionId, UtcTime};
    use zeroize::Zeroizing;

    use super::*;

    /// A secret whose version goes up with each read.
    #[derive(Default)]
    struct Rotating(Cell<u32>);

    impl Vault for Rotating {
        async fn read(&self) -> Result<Credentials, String> {
            self.0.set(self.0.get() + 1);
            Ok(credentials(&format!("v{}", self.0.get())))
        }
    }

    /// A gateway that takes one version only.
    struct Only(&'static str);

    impl Gateway for Only {
        async fn authorize(&self, _: &Payment, credentials: &Credentials) -> Result<(), Refusal> {
            if credentials.version == self.0 { Ok(()) } else { Err(Refusal::Credentials) }
        }
    }

    fn credentials(version: &str) -> Credentials {
        Credentials::new(version, Zeroizing::new(format!("key of {version}")))
    }

    fn payment(id: &str) -> Payment {
        let request = PaymentRequest::parse(br#"{"customerId":"CUST-12345","amount":99.9,"currency":"USD"}"#);
        let at = UtcTime::from_millis(1_795_536_000_007);
        Payment::accepted(request.expect("a good request"), TransactionId::stored(id), "us-east-1", at)
    }

    async fn authorized_by(gateway: &impl Gateway) -> Result<String, String> {
        authorized(&payment("an-id"), gateway, &Keyring::new(Rotating::default()), SystemTime::now()).await
    }

    #[tokio::test]
    async fn a_payment_says_which_version_of_the_credentials_authorised_it() {
        assert_eq!(authorized_by(&Simulated).await.as_deref(), Ok("v1"));
    }

    #[tokio::test]
    async fn credentials_that_were_rotated_are_read_again_once() {
        assert_eq!(authorized_by(&Only("v2")).await.as_deref(), Ok("v2"));
        assert_eq!(authorized_by(&Only("v3")).await.unwrap_err(), "the gateway refuses version v2 of the credentials");
    }

    #[test]
    fn a_signature_depends_on_the_payment_and_the_key() {
        let sign = |id, version| signature(&payment(id), &credentials(version)).expect("a signature");
        assert_eq!(sign("a", "v1"), sign("a", "v1"));
        assert_ne!(sign("a", "v1"), sign("b", "v1"));
        assert_ne!(sign("a", "v1"), sign("a", "v2"));
    }
}
