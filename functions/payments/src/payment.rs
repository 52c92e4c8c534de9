//! A payment that was accepted, and how it is kept.

use crate::{Fingerprint, PaymentRequest, TransactionId, UtcTime};

/// What a client gets to know about its payment: the same however often and wherever it asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The payment's id.
    pub transaction_id: TransactionId,
    /// `accepted`: it is written down. Whatever happens to it later is another status.
    pub status: String,
    /// The region that took it.
    pub region: String,
    /// When that region took it, as [`UtcTime`] writes it.
    pub created_at: String,
}

/// A payment about to be written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// What the client asked for.
    pub request: PaymentRequest,
    /// What the client is told.
    pub receipt: Receipt,
    /// The version of the gateway credentials that authorised it, if the system has any. Never the credentials.
    pub credentials_version: Option<String>,
}

/// What is kept about a payment, as far as a repeated request needs it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// What the client was told.
    pub receipt: Receipt,
    /// What it had asked for.
    pub fingerprint: Fingerprint,
}

/// One attribute of a stored item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// A string.
    Text(String),
    /// An exact decimal number.
    Number(String),
}

impl Payment {
    /// The attribute that is the table's key.
    pub const KEY: &'static str = "transactionId";

    /// A payment taken by `region` at this time.
    pub fn accepted(request: PaymentRequest, id: TransactionId, region: &str, at: UtcTime) -> Self {
        let receipt = Receipt {
            transaction_id: id,
            status: "accepted".into(),
            region: region.into(),
            created_at: at.to_string(),
        };
        Self { request, receipt, credentials_version: None }
    }

    /// The stored item. It has no `expiresAt`: payments do not expire unless that is asked for.
    pub fn attributes(&self) -> Vec<(&'static str, Attribute)> {
        let Self { request, receipt, credentials_version } = self;
        let text = |text: &str| Attribute::Text(text.to_owned());
        let mut attributes = vec![
            (Self::KEY, text(receipt.transaction_id.as_str())),
            ("customerId", text(request.customer.as_str())),
            ("amount", Attribute::Number(request.money.amount())),
            ("currency", text(request.money.currency().code())),
            ("status", text(&receipt.status)),
            ("createdAt", text(&receipt.created_at)),
            ("region", text(&receipt.region)),
            ("requestHash", text(self.request.fingerprint().as_str())),
        ];
        attributes.extend(credentials_version.as_ref().map(|version| ("credentialsVersion", text(version))));
        attributes
    }

    /// The key of the payment's log object: the same however often its log is written, and listed by day and region.
    pub fn log_key(&self) -> String {
        let Receipt { transaction_id, region, created_at, .. } = &self.receipt;
        let day = created_at.split('T').next().unwrap_or_default().replace('-', "/");
        format!("{day}/{region}/{transaction_id}.json")
    }

    /// The payment's log object: the same attributes as the stored item; the amount stays an exact decimal, as text.
    pub fn log_document(&self) -> String {
        let text = |value| match value {
            Attribute::Text(text) | Attribute::Number(text) => serde_json::Value::String(text),
        };
        let fields = self.attributes().into_iter().map(|(name, value)| (name.to_owned(), text(value)));
        serde_json::Value::Object(fields.collect()).to_string()
    }

    /// What will be read back when the same request comes again.
    pub fn recorded(&self) -> Recorded {
        Recorded { receipt: self.receipt.clone(), fingerprint: self.request.fingerprint() }
    }
}

impl Recorded {
    /// Reads a stored item through `text`, which finds a string attribute by name. `Err` names the one that is missing.
    pub fn read<'a>(text: impl Fn(&str) -> Option<&'a str>) -> Result<Self, &'static str> {
        let get = |name: &'static str| text(name).map(str::to_owned).ok_or(name);
        Ok(Self {
            receipt: Receipt {
                transaction_id: TransactionId::stored(get(Payment::KEY)?),
                status: get("status")?,
                region: get("region")?,
                created_at: get("createdAt")?,
            },
            fingerprint: Fingerprint::stored(get("requestHash")?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payment() -> Payment {
        let request = PaymentRequest::parse(br#"{"customerId":"CUST-12345","amount":99.9,"currency":"USD"}"#);
        let at = UtcTime::from_millis(1_795_536_000_007);
        Payment::accepted(request.expect("a good request"), TransactionId::stored("an-id"), "us-east-1", at)
    }

    #[test]
    fn a_payment_is_stored_with_its_exact_amount_and_a_time_that_sorts() {
        let fingerprint = payment().request.fingerprint().as_str().to_owned();
        let text = |text: &str| Attribute::Text(text.into());
        assert_eq!(
            payment().attributes(),
            vec![
                ("transactionId", text("an-id")),
                ("customerId", text("CUST-12345")),
                ("amount", Attribute::Number("99.90".into())),
                ("currency", text("USD")),
                ("status", text("accepted")),
                ("createdAt", text("2026-11-24T16:00:00.007Z")),
                ("region", text("us-east-1")),
                ("requestHash", text(&fingerprint)),
            ]
        );
    }

    #[test]
    fn a_payment_that_was_authorised_says_with_which_version_of_the_credentials() {
        let payment = Payment { credentials_version: Some("v1".into()), ..payment() };
        assert_eq!(payment.attributes().last(), Some(&("credentialsVersion", Attribute::Text("v1".into()))));
        assert_eq!(payment.recorded(), self::payment().recorded(), "a rotation makes no other payment of it");
    }

    #[test]
    fn the_log_of_a_payment_has_a_place_of_its_own() {
        assert_eq!(payment().log_key(), "2026/11/24/us-east-1/an-id.json");
        let log: serde_json::Value = serde_json::from_str(&payment().log_document()).expect("the log is JSON");
        assert_eq!((&log["transactionId"], &log["amount"]), (&"an-id".into(), &"99.90".into()));
    }

    #[test]
    fn what_was_stored_reads_back_as_what_was_accepted() {
        let attributes = payment().attributes();
        let find = |name: &str| match attributes.iter().find(|(known, _)| *known == name) {
            Some((_, Attribute::Text(text))) => Some(text.as_str()),
            _ => None,
        };
        assert_eq!(Recorded::read(find), Ok(payment().recorded()));
    }

    #[test]
    fn an_item_that_is_not_a_payment_is_named_by_what_it_lacks() {
        assert_eq!(Recorded::read(|name| (name == "transactionId").then_some("x")), Err("status"));
    }
}
