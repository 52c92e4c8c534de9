//! The tables in which kinds say what their calls need.

/// What the calls of one kind need to be allowed, by what they are for.
#[derive(Clone, Copy, Debug)]
pub struct Permissions {
    /// To find what belongs to the system, whatever the spec says.
    pub discover: &'static [Grant],
    /// To read a resource.
    pub look: &'static [Grant],
    /// To make and change it, and to take back what others added to it.
    pub change: &'static [Grant],
    /// To delete it.
    pub remove: &'static [Grant],
    /// For what operators do with it past the spec.
    pub operate: &'static [Grant],
    /// What drctl asks if it may, and can do without: no policy allows it.
    pub spared: &'static [&'static str],
}

impl Permissions {
    /// Nothing at all.
    pub const NONE: Self = Self { discover: &[], look: &[], change: &[], remove: &[], operate: &[], spared: &[] };

    /// Every grant, whatever it is for.
    pub fn all(&self) -> impl Iterator<Item = &'static Grant> {
        [self.discover, self.look, self.change, self.remove, self.operate].into_iter().flatten()
    }
}

/// Some actions on some resources.
///
/// Texts may name in braces what is filled in: `{account}`, `{system}`, `{suffix}`, `{region}` (each of the system's, for what is
/// in none), `{regions}` (all of them), a property of the resource (`{name}`), or one of the resource that a
/// property refers to (`{role.name}`).
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    /// As IAM writes them: `lambda:CreateFunction`.
    pub actions: &'static [&'static str],
    /// Whether they are no calls of drctl's: AWS checks them when another call is made.
    pub implied: bool,
    /// ARNs.
    pub on: &'static [&'static str],
    /// What a request has to be like, too.
    pub only: &'static [Condition],
    /// A property and the value with which the resource needs this at all.
    pub given: Option<(&'static str, &'static str)>,
}

impl Grant {
    /// Calls of drctl's on these resources.
    pub const fn calls(actions: &'static [&'static str], on: &'static [&'static str]) -> Self {
        Self { actions, implied: false, on, only: &[], given: None }
    }

    /// What AWS checks beside a call of drctl's: IAM calls these dependent actions.
    pub const fn implied(actions: &'static [&'static str], on: &'static [&'static str]) -> Self {
        Self { implied: true, ..Self::calls(actions, on) }
    }

    /// Calls in the system's regions for which AWS offers nothing narrower.
    pub const fn everywhere(actions: &'static [&'static str]) -> Self {
        Self::calls(actions, Self::ANY).only(Self::IN_ITS_REGIONS)
    }

    /// Calls to a service without regions for which AWS offers nothing narrower.
    pub const fn anything(actions: &'static [&'static str]) -> Self {
        Self::calls(actions, Self::ANY)
    }

    /// The same, for requests like this only.
    pub const fn only(self, only: &'static [Condition]) -> Self {
        Self { only, ..self }
    }

    /// The same, needed only by a resource with this value of a property.
    pub const fn given(self, property: &'static str, value: &'static str) -> Self {
        Self { given: Some((property, value)), ..self }
    }

    const ANY: &'static [&'static str] = &["*"];
    const IN_ITS_REGIONS: &'static [Condition] = &[Condition::equals("aws:RequestedRegion", "{regions}")];
}

/// What a request has to be like.
#[derive(Clone, Copy, Debug)]
pub struct Condition {
    /// `StringEquals`
    pub operator: &'static str,
    /// `iam:PassedToService`
    pub key: &'static str,
    /// A text like those of [`Grant`].
    pub value: &'static str,
}

impl Condition {
    /// The key has this value.
    pub const fn equals(key: &'static str, value: &'static str) -> Self {
        Self { operator: "StringEquals", key, value }
    }

    /// All the values that the key has are this one.
    pub const fn all_equal(key: &'static str, value: &'static str) -> Self {
        Self { operator: "ForAllValues:StringEquals", key, value }
    }

    /// The key is true.
    pub const fn holds(key: &'static str) -> Self {
        Self { operator: "Bool", key, value: "true" }
    }
}
