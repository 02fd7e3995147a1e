//! Accounts: password hashes, public keys and the durable message log.
