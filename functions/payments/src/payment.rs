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
        Self { request, receipt }
    }

    /// The stored item. It has no `expiresAt`: payments do not expire unless that is asked for.
    pub fn attributes(&self) -> [(&'static str, Attribute); 8] {
        let Self { request, receipt } = self;
        let text = |text: &str| Attribute::Text(text.to_owned());
        [
            (Self::KEY, text(receipt.transaction_id.as_str())),
            ("customerId", text(request.customer.as_str())),
            ("amount", Attribute::Number(request.money.amount())),
            ("currency", text(request.money.currency().code())),
            ("status", text(&receipt.status)),
            ("createdAt", text(&receipt.created_at)),
            ("region", text(&receipt.region)),
            ("requestHash", text(self.request.fingerprint().as_str())),
        ]
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
            [
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
