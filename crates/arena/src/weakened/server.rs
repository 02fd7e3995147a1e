//! A server's parts, for what it leaves out.

use std::{sync::Arc, time::Duration};

use latchstring_attacker::protocol::hardened::{defence::Defence, parts::Parts};
use latchstring_server_core::{Limits, Setup};

use super::{
    enrolment::ForAnybody,
    failures::ChargeAccount,
    lookup::{HashesFirst, OneByOne, WithoutStandIn},
};
use crate::cost::CostLog;

/// How long a handshake may take where nothing is due.
const NO_DEADLINE: Duration = Duration::from_secs(24 * 60 * 60);

/// Replaces the parts whose defences are left out.
pub(crate) fn weaken<D: Parts + Clone>(setup: &mut Setup<D>, costs: &CostLog) {
    let defences = setup.defences.clone();
    let lacks = |defence| !defences.keeps(defence);
    if lacks(Defence::DirectLookup) {
        setup.lookup = Arc::new(OneByOne {
            stand_in: setup.lookup.clone(),
            costs: costs.clone(),
        });
    }
    if lacks(Defence::SignatureFirst) {
        setup.lookup = Arc::new(HashesFirst {
            finds: setup.lookup.clone(),
            passwords: setup.passwords.clone(),
            costs: costs.clone(),
        });
    }
    if lacks(Defence::ConstantWork) {
        setup.lookup = Arc::new(WithoutStandIn(setup.lookup.clone()));
    }
    if lacks(Defence::SourceFirst) {
        setup.failures = Arc::new(ChargeAccount);
    }
    if lacks(Defence::EnrolmentToken) {
        setup.enrolment = Arc::new(ForAnybody);
    }
    if lacks(Defence::Deadlines) {
        setup.handshake_deadline = NO_DEADLINE;
    }
    if lacks(Defence::SourceCaps) {
        setup.limits = without_caps(&setup.limits);
    }
}

/// One source may have all that there is, and chance decides nothing.
fn without_caps(limits: &Limits) -> Limits {
    Limits {
        max_unauthenticated_per_source: usize::MAX,
        connection_burst: usize::MAX,
        early_drop_from: limits.max_unauthenticated,
        ..limits.clone()
    }
}
