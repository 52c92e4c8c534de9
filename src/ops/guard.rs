//! What the guards of a system look at.

use crate::desired::{DnsSection, Spec};
use crate::graph::Address;
use crate::graph::Resource;
use crate::kinds::function::Function;
use crate::kinds::function_url::FunctionUrl;
use crate::kinds::key::Key;
use crate::plan::Observation;
use crate::plan::guard::{Guard, Site};

/// The guards that the spec asks for, over everything that takes payments or did: also in regions that the
/// spec no longer has.
pub fn guard(spec: &Spec, observed: &Observation) -> Guard {
    let payments = spec.payment_function();
    let takes_payments = |address: &&Address| address.kind == Function::KIND && Some(address.name.as_str()) == payments;
    let functions = observed.seen.keys().filter(takes_payments);
    let sites = functions.map(|function| Site {
        function: function.clone(),
        throttle: "reserved_concurrency".into(),
        url: function.with_kind(FunctionUrl::KIND),
        check: spec.dns.as_ref().and(function.place.region()).map(DnsSection::check_address),
    });
    let key = Key::address();
    let unwanted = observed.live(&key).filter(|_| !spec.has_key()).map(|_| key);
    Guard {
        protect: spec.guard.protect.clone(),
        sites: sites.collect(),
        unwanted: unwanted.into_iter().collect(),
        ..Guard::default()
    }
}
