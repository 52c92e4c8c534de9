//! CloudWatch Logs groups.
//!
//! Lambda would make a function's group by itself, without retention and tags;
//! so the group is made before its function, and its role may not create groups.

#[cfg(feature = "aws")]
mod aws;
mod permissions;

use serde::{Deserialize, Serialize};

use crate::graph::{Input, Resource, Tags};

/// The part of a log group that drctl manages.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogGroup {
    /// `/aws/lambda/FUNCTION`
    pub name: String,
    /// Days until an event expires; `None` keeps events for ever.
    pub retention_days: Option<u32>,
    /// The ARN of the KMS key that encrypts what is logged; `None` leaves it to CloudWatch's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kms_key: Option<Input>,
    /// Tags and ownership marks.
    pub tags: Tags,
}

impl LogGroup {
    /// The numbers of days that CloudWatch Logs takes (`PutRetentionPolicy`).
    pub const RETENTION_DAYS: [u32; 22] =
        [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];
}

impl Resource for LogGroup {
    const KIND: &'static str = "log_group";
    const FIXED: &'static [&'static str] = &["name"];
    const LEFT_BEHIND: &'static [(&'static str, &'static str)] =
        &[("kms_key", "what is logged already stays encrypted as it is")];

    fn id(&self) -> Option<String> {
        Some(self.name.clone())
    }
}
