//! What a stored hash is like, what is refused, and what the reference implementation says.

use super::*;

const CHEAP: Cost = Cost::TOO_CHEAP_FOR_REAL_PASSWORDS;
const GOOD: &[u8] = b"correct horse";

fn cheap(password: &[u8]) -> String {
    hash(password, [7; 16], CHEAP).expect("hashed")
}

#[test]
fn deployed_hashes_cost_what_the_protocol_says() {
    let phc = hash(GOOD, [1; 16], Cost::DEPLOYED).expect("hashed");
    assert!(
        phc.starts_with("$argon2id$v=19$m=65536,t=3,p=1$AQEBAQEBAQEBAQEBAQEBAQ$"),
        "{phc}"
    );
    assert_eq!(verify(&phc, GOOD), Ok(true));
    assert_eq!(verify(&phc, b"Correct horse"), Ok(false));
}

/// From the reference implementation's `test.c`: argon2id, 2 passes, 2^16 KiB, 1 lane, "password", "somesalt".
#[test]
fn the_reference_implementation_agrees() {
    let phc =
        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    assert_eq!(verify(phc, b"password"), Ok(true));
    assert_eq!(verify(phc, b"passwore"), Ok(false));
}

#[test]
fn a_chosen_cost_is_neither_too_low_nor_too_high() {
    assert_eq!(Cost::new(64, 3), Some(Cost::DEPLOYED));
    assert!(Cost::new(19, 2).is_some() && Cost::new(256, 16).is_some());
    for (memory_mib, passes) in [(18, 2), (257, 2), (64, 1), (64, 17), (0, 0), (u32::MAX, 3)] {
        assert_eq!(
            Cost::new(memory_mib, passes),
            None,
            "{memory_mib}, {passes}"
        );
    }
}

fn pepper(first: u8) -> Pepper {
    let bytes: Vec<u8> = (0..32).map(|i| first + i).collect();
    Pepper::new(bytes.into()).unwrap()
}

#[test]
fn a_hash_with_a_pepper_names_it_and_is_worth_nothing_without_it() {
    let pepper = pepper(1);
    let phc = hash_with(GOOD, [7; 16], CHEAP, Some(&pepper)).unwrap();
    let named = format!("$m=64,t=1,p=1,keyid={}$", pepper.id());
    assert!(phc.contains(&named), "{phc}");
    assert_eq!(pepper_of(&phc), Ok(Some(pepper.id().to_owned())));
    assert_eq!(pepper_of(&cheap(GOOD)), Ok(None));
    assert_eq!(Cost::of(&phc), Ok(CHEAP));
    let missing = Err(PasswordError::NoPepper(pepper.id().to_owned()));
    assert_eq!(verify(&phc, GOOD), missing);
    // A thief who takes the name out of the string gets no further.
    let without = phc.replace(&format!(",keyid={}", pepper.id()), "");
    assert_eq!(verify(&without, GOOD), Ok(false));

    let known = Peppers::new(vec![pepper]).unwrap();
    assert_eq!(verify_with(&phc, GOOD, &known), Ok(true));
    assert_eq!(verify_with(&phc, b"Correct horse", &known), Ok(false));
    assert_eq!(verify_with(&cheap(GOOD), GOOD, &known), Ok(true));
}

/// From the reference implementation (argon2-cffi 25.1), with the secret 01 02 … 20.
#[test]
fn the_reference_implementation_agrees_about_peppers() {
    let phc = "$argon2id$v=19$m=64,t=1,p=1,keyid=1b224acc$c29tZXNhbHQ$uZe1orjitsfWRn255raL0UzJoJ2yzZGRB0DKyaHzT2Q";
    let known = Peppers::new(vec![pepper(1)]).unwrap();
    assert_eq!(verify_with(phc, GOOD, &known), Ok(true));
    assert_eq!(verify_with(phc, b"correct hors", &known), Ok(false));
}

#[test]
fn an_older_pepper_is_found_and_a_foreign_one_is_not() {
    let phc = hash_with(GOOD, [7; 16], CHEAP, Some(&pepper(1))).unwrap();
    let rotated = Peppers::new(vec![pepper(2), pepper(1)]).unwrap();
    assert_eq!(verify_with(&phc, GOOD, &rotated), Ok(true));
    let other = Peppers::new(vec![pepper(2)]).unwrap();
    let refused = verify_with(&phc, GOOD, &other);
    assert!(matches!(refused, Err(PasswordError::NoPepper(_))));
}

#[test]
fn a_hash_from_elsewhere_is_taken_over_within_bounds() {
    let tail = "c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    let none = Peppers::default();
    let good = format!("$argon2id$v=19$m=65536,t=2,p=1${tail}");
    assert_eq!(check_foreign(&good, &none), Ok(()));
    for (phc, why) in [
        ("$2b$12$abcdefghijklmnopqrstuu".to_owned(), "not argon2id"),
        ("$5$salt$hash".to_owned(), "not argon2id"),
        (good.replace("argon2id", "argon2i"), "not argon2id"),
        (good.replace("m=65536", "m=1024"), "less than 19 MiB"),
        (good.replace("t=2", "t=1"), "2 passes"),
        (good.replace("m=65536", "m=999999"), "256 MiB"),
        (good.replace("p=1", "p=1,keyid=00000000"), "pepper 00000000"),
        (good.replace("p=1", "p=1,data=AAAA"), "not known here"),
        (good[..good.len() - 24].to_owned(), "too short"),
    ] {
        let refused = check_foreign(&phc, &none).unwrap_err().to_string();
        assert!(refused.contains(why), "{phc}: {refused}");
        assert!(refused.contains("invite"), "{refused}");
    }
}

#[test]
fn the_cost_of_a_hash_can_be_read_from_it() {
    assert_eq!(Cost::of(&cheap(GOOD)), Ok(CHEAP));
    assert!(Cost::of("plain").is_err());
}

#[test]
fn a_new_password_has_8_to_128_bytes_of_text() {
    assert_eq!(check_new(b"1234567"), Err(PasswordError::TooShort(7)));
    assert_eq!(check_new(b"12345678"), Ok(()));
    assert_eq!(check_new(&[b'x'; 128]), Ok(()));
    assert_eq!(check_new(&[b'x'; 129]), Err(PasswordError::TooLong(129)));
    assert_eq!(check_new("päßwörd".as_bytes()), Ok(()));
    assert_eq!(check_new(&[0xff; 10]), Err(PasswordError::NotUtf8));
    assert!(hash(b"short", [0; 16], CHEAP).is_err());
}

#[test]
fn the_salt_keeps_equal_passwords_apart() {
    let other = hash(GOOD, [8; 16], CHEAP).expect("hashed");
    assert_ne!(cheap(GOOD), other);
    assert_eq!(verify(&other, GOOD), Ok(true));
}

#[test]
fn every_byte_of_the_password_counts() {
    let phc = cheap(&[b'x'; 128]);
    assert_eq!(verify(&phc, &[b'x'; 128]), Ok(true));
    assert_eq!(verify(&phc, &[b'x'; 127]), Ok(false));
    assert_eq!(verify(&phc, &[b'x'; 129]), Ok(false));
    assert_eq!(verify(&phc, b""), Ok(false));
}

#[test]
fn a_hash_that_asks_for_the_whole_machine_is_refused_at_once() {
    let tail = "$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
    for cost in [
        "m=4294967295,t=3,p=1",
        "m=262145,t=3,p=1",
        "m=65536,t=17,p=1",
        "m=65536,t=4294967295,p=1",
        "m=65536,t=3,p=5",
    ] {
        let refused = verify(&format!("$argon2id$v=19${cost}{tail}"), b"password");
        assert!(
            matches!(&refused, Err(PasswordError::Stored(why)) if why.contains("256 MiB")),
            "{cost}: {refused:?}"
        );
    }
}

#[test]
fn what_is_not_our_hash_is_refused() {
    let good = cheap(GOOD);
    let cut = good.rsplit_once('$').expect("a hash").0;
    for bad in [
        "",
        "plain",
        "$1$salt$hash",
        cut,
        &good.replace("argon2id", "argon2i"),
        &good.replace("argon2id", "argon2d"),
        &good.replace("v=19", "v=16"),
        &good.replace("m=64", "m=1"),
        &good.replace("t=1", "t=0"),
        &good.replace("p=1", "p=0"),
        &good.replace("m=64", "m=99999999999"),
        &good.replace("p=1", "q=1"),
    ] {
        let refused = verify(bad, GOOD);
        assert!(
            matches!(refused, Err(PasswordError::Stored(_))),
            "{bad}: {refused:?}"
        );
    }
}
