//! Every label of the metrics. Each is an enum, so no text from outside can become a label: no name of a person, no
//! address, no key.

use std::fmt::{self, Write};

use latchstring_net::{protocol::hardened::handshake::RefusalReason, wire::WireError};
use latchstring_server_core::{
    AdmissionError, Event, HandshakeError, cost,
    observer::{self, By},
    store::StoreError,
};
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};

/// An enum, the list of its values, and the text of each in the metrics.
macro_rules! label {
    ($(#[$about:meta])* $name:ident { $($(#[$why:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$about])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(super) enum $name { $($(#[$why])* $value,)* }

        impl $name {
            pub(super) const ALL: &'static [Self] = &[$(Self::$value,)*];

            pub(super) fn text(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }
        }

        impl EncodeLabelValue for $name {
            fn encode(&self, to: &mut LabelValueEncoder<'_>) -> fmt::Result {
                to.write_str(self.text())
            }
        }
    };
}

label! {
    /// How a login or an enrolment ended.
    Outcome {
        Accepted = "accepted",
        /// The client got `AUTH_FAIL`.
        Refused = "refused",
        /// The connection ended without an answer, for a reason of the client or of the network, or for want of room.
        Failed = "failed",
        /// This machine failed: its store, its memory, or this program.
        Error = "error",
    }
}

label! {
    /// Why a login or an enrolment ended so.
    Reason {
        None = "none",
        /// No such user with this key, or a key that was not proven. One value for both: with two of them a stranger on this
        /// machine could find out which keys are enrolled, and the protocol tells nobody.
        NoKey = "no_key",
        WrongPassword = "wrong_password",
        TooSoon = "too_soon",
        LockedOut = "locked_out",
        UserDisabled = "user_disabled",
        NotInvited = "not_invited",
        WeakKey = "weak_key",
        BadNewPassword = "bad_new_password",
        HungUp = "hung_up",
        TooSlow = "too_slow",
        ConnectionLost = "connection_lost",
        Protocol = "protocol",
        SigningQueueFull = "signing_queue_full",
        PasswordQueueFull = "password_queue_full",
        Superseded = "superseded",
        Stopping = "stopping",
        /// The account was removed while the login was under way.
        Removed = "removed",
        Store = "store",
        PasswordHash = "password_hash",
        Fault = "fault",
        /// A balancer did not say for whom it connects.
        Balancer = "balancer",
        /// A reason that this program does not know yet.
        Other = "other",
    }
}

impl From<RefusalReason> for Reason {
    fn from(why: RefusalReason) -> Self {
        match why {
            RefusalReason::UnknownUserOrKey | RefusalReason::BadKeyProof => Self::NoKey,
            RefusalReason::WrongPassword => Self::WrongPassword,
            RefusalReason::NotInvited => Self::NotInvited,
            RefusalReason::WeakKey => Self::WeakKey,
            RefusalReason::BadPassword | RefusalReason::BreachedPassword => Self::BadNewPassword,
            RefusalReason::TooSoon => Self::TooSoon,
            RefusalReason::Disabled => Self::LockedOut,
            RefusalReason::UserDisabled => Self::UserDisabled,
        }
    }
}

impl From<&HandshakeError> for Reason {
    fn from(why: &HandshakeError) -> Self {
        match why {
            HandshakeError::Wire(WireError::Closed | WireError::Truncated { .. }) => Self::HungUp,
            HandshakeError::Wire(WireError::Deadline { .. }) | HandshakeError::Deadline => {
                Self::TooSlow
            }
            HandshakeError::Wire(WireError::BadLength(_)) | HandshakeError::Protocol(_) => {
                Self::Protocol
            }
            HandshakeError::Wire(_) => Self::ConnectionLost,
            HandshakeError::Store(StoreError::NoSuchUser(_)) => Self::Removed,
            HandshakeError::Store(_) => Self::Store,
            HandshakeError::Password(_) => Self::PasswordHash,
            HandshakeError::SigningBusy => Self::SigningQueueFull,
            HandshakeError::PasswordBusy => Self::PasswordQueueFull,
            HandshakeError::Superseded => Self::Superseded,
            HandshakeError::Stopping => Self::Stopping,
            HandshakeError::Balancer(_) => Self::Balancer,
            _ => Self::Other,
        }
    }
}

impl Reason {
    /// The outcome that has this reason.
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::None => Outcome::Accepted,
            Self::NoKey
            | Self::WrongPassword
            | Self::TooSoon
            | Self::LockedOut
            | Self::UserDisabled
            | Self::NotInvited
            | Self::WeakKey
            | Self::BadNewPassword => Outcome::Refused,
            Self::HungUp
            | Self::TooSlow
            | Self::ConnectionLost
            | Self::Protocol
            | Self::SigningQueueFull
            | Self::PasswordQueueFull
            | Self::Superseded
            | Self::Stopping
            | Self::Removed
            | Self::Balancer
            | Self::Other => Outcome::Failed,
            Self::Store | Self::PasswordHash | Self::Fault => Outcome::Error,
        }
    }
}

label! {
    /// The limit that turned a connection away.
    Limit {
        Connections = "max_connections",
        Unauthenticated = "max_unauthenticated",
        UnauthenticatedOfSource = "max_unauthenticated_per_source",
        Rate = "connection_rate",
        Penalty = "penalty",
        EarlyDrop = "early_drop",
        Other = "other",
    }
}

impl From<AdmissionError> for Limit {
    fn from(why: AdmissionError) -> Self {
        match why {
            AdmissionError::Connections => Self::Connections,
            AdmissionError::Unauthenticated => Self::Unauthenticated,
            AdmissionError::UnauthenticatedOfSource => Self::UnauthenticatedOfSource,
            AdmissionError::Rate => Self::Rate,
            AdmissionError::Penalty => Self::Penalty,
            AdmissionError::EarlyDrop => Self::EarlyDrop,
            _ => Self::Other,
        }
    }
}

label! {
    /// What became of a message.
    Stored {
        New = "stored",
        Duplicate = "duplicate",
        Conflict = "conflict",
        Failed = "failed",
        /// In the store, and not at the place to which the operator has messages delivered.
        Undelivered = "undelivered",
    }
}

impl From<&StoreError> for Stored {
    fn from(why: &StoreError) -> Self {
        match why {
            StoreError::Undelivered { .. } => Self::Undelivered,
            _ => Self::Failed,
        }
    }
}

label! {
    /// How a session ended.
    End {
        ClosedByClient = "closed_by_client",
        ClosedByServer = "closed_by_server",
        Truncated = "truncated",
        Silent = "silent",
        Protocol = "protocol",
        Store = "store",
        Fault = "fault",
    }
}

impl End {
    /// The end that an event is, for a connection that is logged in.
    pub(super) fn of(event: &Event) -> Option<Self> {
        match event {
            Event::Closed { by: By::Peer, .. } => Some(Self::ClosedByClient),
            Event::Closed { by: By::Server, .. } => Some(Self::ClosedByServer),
            Event::Truncated { .. } => Some(Self::Truncated),
            Event::Silent { .. } => Some(Self::Silent),
            Event::ProtocolError { .. } => Some(Self::Protocol),
            Event::StoreFailed { .. } => Some(Self::Store),
            Event::Panicked => Some(Self::Fault),
            _ => None,
        }
    }
}

label! {
    /// A queue for work that keeps a processor busy.
    Queue {
        Signing = "signing",
        Password = "password",
    }
}

label! {
    /// A table that strangers or users fill.
    Table {
        Rates = "connection_rates",
        Penalties = "penalties",
        Trusted = "trusted_sources",
        Keys = "password_throttle",
    }
}

label! {
    /// Work that logins cost.
    Work {
        Sign = "sign",
        Verify = "verify",
        Hash = "hash",
    }
}

impl From<Work> for cost::Work {
    fn from(work: Work) -> Self {
        match work {
            Work::Sign => Self::Sign,
            Work::Verify => Self::Verify,
            Work::Hash => Self::Hash,
        }
    }
}

label! {
    /// What a password hash is computed for.
    Purpose {
        Check = "check",
        Store = "store",
    }
}

impl From<observer::Purpose> for Purpose {
    fn from(purpose: observer::Purpose) -> Self {
        match purpose {
            observer::Purpose::Check => Self::Check,
            observer::Purpose::Store => Self::Store,
        }
    }
}

/// The labels of a login. The outcome follows from the reason.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct Login {
    outcome: Outcome,
    reason: Reason,
}

impl From<Reason> for Login {
    fn from(reason: Reason) -> Self {
        let outcome = reason.outcome();
        Self { outcome, reason }
    }
}

/// A set of one label, whose name is that of the field.
macro_rules! one_label {
    ($($set:ident { $field:ident: $of:ident })*) => {$(
        #[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
        pub(super) struct $set { pub(super) $field: $of }

        impl From<$of> for $set {
            fn from($field: $of) -> Self {
                Self { $field }
            }
        }
    )*};
}

one_label! {
    OfOutcome { outcome: Outcome }
    OfLimit { limit: Limit }
    OfStored { result: Stored }
    OfEnd { end: End }
    OfQueue { queue: Queue }
    OfTable { table: Table }
    OfWork { work: Work }
    OfPurpose { purpose: Purpose }
}
