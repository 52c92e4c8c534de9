//! The gateway's credentials: read from the secret of this region, kept for some minutes.

use std::fmt;
use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;
use zeroize::Zeroizing;

/// How long credentials are used before the secret is asked again; a rotation shows after this long at the latest.
const LIFETIME: Duration = Duration::from_secs(300);

/// After a refresh that failed, the old credentials are used this long before the next one.
const PAUSE: Duration = Duration::from_secs(10);

/// Credentials of one version. They show themselves nowhere, and are wiped when they are dropped.
#[derive(Clone)]
pub(crate) struct Credentials {
    /// The version's id, which may be shown.
    pub(crate) version: String,
    key: Zeroizing<String>,
}

impl Credentials {
    pub(crate) fn new(version: impl Into<String>, key: Zeroizing<String>) -> Self {
        Self { version: version.into(), key }
    }

    /// The key, for signing with it and nothing else.
    pub(crate) fn key(&self) -> &[u8] {
        self.key.as_bytes()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("version", &self.version).field("key", &"(secret)").finish()
    }
}

/// Where credentials come from.
pub(crate) trait Vault {
    /// Reads the current version, or says why not.
    async fn read(&self) -> Result<Credentials, String>;
}

/// Credentials and when they have to be read again, by the wall clock: Lambda freezes a process between requests, and
/// a clock that freezes with it would keep them for ever.
pub(crate) struct Keyring<V> {
    vault: V,
    kept: Mutex<Option<(SystemTime, Credentials)>>,
}

impl<V: Vault> Keyring<V> {
    pub(crate) fn new(vault: V) -> Self {
        Self { vault, kept: Mutex::new(None) }
    }

    /// The credentials to use now. Old ones go on being used while the secret cannot be read: the gateway says whether
    /// they still are any good.
    pub(crate) async fn current(&self, now: SystemTime) -> Result<Credentials, String> {
        let mut kept = self.kept.lock().await;
        match &*kept {
            // A time too far ahead means that the clock was set back since.
            Some((until, credentials)) if until.duration_since(now).is_ok_and(|left| left <= LIFETIME) => {
                Ok(credentials.clone())
            }
            _ => Self::refresh(&self.vault, &mut kept, now).await,
        }
    }

    /// Credentials other than those that were refused: whoever asks next gets them too.
    pub(crate) async fn instead_of(&self, refused: &Credentials, now: SystemTime) -> Result<Credentials, String> {
        let mut kept = self.kept.lock().await;
        match &*kept {
            Some((_, credentials)) if credentials.version != refused.version => Ok(credentials.clone()),
            _ => Self::refresh(&self.vault, &mut kept, now).await,
        }
    }

    async fn refresh(
        vault: &V,
        kept: &mut Option<(SystemTime, Credentials)>,
        now: SystemTime,
    ) -> Result<Credentials, String> {
        match (vault.read().await, &mut *kept) {
            (Ok(credentials), _) => {
                *kept = Some((now + LIFETIME, credentials.clone()));
                Ok(credentials)
            }
            (Err(cause), Some((until, old))) => {
                tracing::warn!(cause, credentialsVersion = old.version, "the credentials cannot be read again");
                *until = now + PAUSE;
                Ok(old.clone())
            }
            (Err(cause), None) => Err(cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A secret whose version and health a test sets.
    struct Secret {
        version: RefCell<&'static str>,
        reads: Cell<usize>,
        down: Cell<bool>,
    }

    impl Vault for &Secret {
        async fn read(&self) -> Result<Credentials, String> {
            self.reads.set(self.reads.get() + 1);
            let version = *self.version.borrow();
            let read = Credentials::new(version, Zeroizing::new(format!("key of {version}")));
            if self.down.get() { Err("no answer".into()) } else { Ok(read) }
        }
    }

    fn secret() -> Secret {
        Secret { version: RefCell::new("v1"), reads: Cell::new(0), down: Cell::new(false) }
    }

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_536_000 + seconds)
    }

    async fn version(keyring: &Keyring<&Secret>, seconds: u64) -> String {
        keyring.current(at(seconds)).await.expect("credentials").version
    }

    #[tokio::test]
    async fn credentials_are_kept_for_five_minutes() {
        let secret = secret();
        let keyring = Keyring::new(&secret);
        version(&keyring, 0).await;
        secret.version.replace("v2");
        assert_eq!((version(&keyring, 299).await.as_str(), secret.reads.get()), ("v1", 1));
        assert_eq!((version(&keyring, 301).await.as_str(), secret.reads.get()), ("v2", 2));
    }

    #[tokio::test]
    async fn a_clock_that_was_set_back_does_not_keep_credentials_for_ever() {
        let secret = secret();
        let keyring = Keyring::new(&secret);
        version(&keyring, 5_000).await;
        secret.version.replace("v2");
        assert_eq!(version(&keyring, 0).await, "v2");
    }

    #[tokio::test]
    async fn refused_credentials_are_read_again_at_once_and_once() {
        let secret = secret();
        let keyring = Keyring::new(&secret);
        let old = keyring.current(at(0)).await.expect("credentials");
        secret.version.replace("v2");
        for _ in 0..2 {
            assert_eq!(keyring.instead_of(&old, at(1)).await.expect("credentials").version, "v2");
        }
        assert_eq!(secret.reads.get(), 2);
    }

    #[tokio::test]
    async fn old_credentials_outlive_a_secret_that_cannot_be_read() {
        let secret = secret();
        let keyring = Keyring::new(&secret);
        version(&keyring, 0).await;
        secret.down.set(true);
        assert_eq!((version(&keyring, 400).await.as_str(), version(&keyring, 405).await.as_str()), ("v1", "v1"));
        assert_eq!(secret.reads.get(), 2, "it is not asked at every payment");
        secret.down.set(false);
        secret.version.replace("v2");
        assert_eq!(version(&keyring, 411).await, "v2");
    }

    #[tokio::test]
    async fn without_any_credentials_the_cause_is_told() {
        let secret = secret();
        secret.down.set(true);
        assert_eq!(Keyring::new(&secret).current(at(0)).await.expect_err("none"), "no answer");
    }

    #[test]
    fn credentials_show_their_version_and_not_themselves() {
        let shown = format!("{:?}", Credentials::new("v1", Zeroizing::new("s3cret".into())));
        assert_eq!(shown, r#"Credentials { version: "v1", key: "(secret)" }"#);
    }
}
