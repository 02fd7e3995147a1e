use std::io::{Cursor, Read as _, Write as _};

use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::*;
use crate::{hand_out::Owner, journal, labs, seed::Seed, student::Student};

fn now() -> Moment {
    Moment::try_from("2026-11-27T18:00:00Z").unwrap()
}

async fn handed_out(student: &str, folder: &Path) -> Student {
    let owner = Owner {
        course: "net".to_owned(),
        term: "2026".to_owned(),
        student: student.to_owned(),
    };
    let lab = labs::find(labs::built_in().unwrap(), "04").unwrap();
    let seed = Seed::chosen(4).child(student);
    Student::hand_out(lab, &folder.join(student), &seed, owner, None)
        .await
        .unwrap()
}

/// The archive with some entries changed; an entry that is no longer there is left out.
fn changed(archive: &[u8], change: impl Fn(&str, Vec<u8>) -> Option<Vec<u8>>) -> Vec<u8> {
    let mut old = ZipArchive::new(Cursor::new(archive)).unwrap();
    let mut new = ZipWriter::new(Cursor::new(Vec::new()));
    for at in 0..old.len() {
        let mut entry = old.by_index(at).unwrap();
        let (name, mut bytes) = (entry.name().to_owned(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        if let Some(bytes) = change(&name, bytes) {
            new.start_file(name, SimpleFileOptions::default()).unwrap();
            new.write_all(&bytes).unwrap();
        }
    }
    new.finish().unwrap().into_inner()
}

fn archive(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in entries {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[tokio::test]
async fn a_bundle_is_read_back_and_only_its_own_hand_out_seals_it() {
    let folder = tempfile::tempdir().unwrap();
    let student = handed_out("anna", folder.path()).await;
    let other = handed_out("bert", folder.path()).await;
    student.note(journal::Deed::Reset);
    let made = make(&student, now()).unwrap();
    assert_eq!(made.bytes, make(&student, now()).unwrap().bytes);
    let read = read(&made.bytes).unwrap();
    assert_eq!(read.manifest, made.manifest);
    assert_eq!(read.changed(), Vec::<&str>::new());
    assert!(read.is_sealed_with(student.state.hand_out().unwrap()));
    assert!(!read.is_sealed_with(other.state.hand_out().unwrap()));
    assert_eq!(read.manifest.hand_out, hand_out_hash(&student.state));
    assert_ne!(read.manifest.hand_out, hand_out_hash(&other.state));
    assert!(read.files.contains_key("answers.toml") && read.files.contains_key("chat.pcap"));
    assert!(!read.files.keys().any(|path| path.contains(".latchstring")));
    assert_eq!(
        read.manifest.files_hash(),
        hash_of(&student.folder).unwrap()
    );

    let (practice, seed) = (folder.path().join("practice"), Seed::chosen(1));
    let practice = Student::start(student.lab, &practice, &seed, None).await;
    let error = make(&practice.unwrap(), now()).err().unwrap();
    assert!(error.to_string().contains("for practice"), "{error}");
}

#[tokio::test]
async fn each_change_after_it_was_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let student = handed_out("anna", folder.path()).await;
    let hand_out = student.state.hand_out().unwrap();
    let bytes = make(&student, now()).unwrap().bytes;
    let edited = |wanted: &'static str| {
        let more = changed(&bytes, move |name, mut bytes| {
            if name == wanted {
                bytes.push(b'\n');
            }
            Some(bytes)
        });
        read(&more).unwrap()
    };
    assert_eq!(edited("work/answers.toml").changed(), ["answers.toml"]);
    assert_eq!(edited("journal").changed(), ["journal"]);
    let without = changed(&bytes, |name, bytes| {
        (name != "work/chat.pcap").then_some(bytes)
    });
    assert_eq!(read(&without).unwrap().changed(), ["chat.pcap"]);
    let passed = changed(&bytes, |name, bytes| match name {
        "bundle.json" => {
            let text = String::from_utf8(bytes).unwrap();
            Some(
                text.replace("\"passed\": []", "\"passed\": [\"message-2\"]")
                    .into(),
            )
        }
        _ => Some(bytes),
    });
    let passed = read(&passed).unwrap();
    assert_eq!(passed.manifest.passed.len(), 1);
    assert!(!passed.is_sealed_with(hand_out));
    assert!(edited("none").is_sealed_with(hand_out));
}

#[tokio::test]
async fn what_is_no_bundle_says_what_it_is_instead() {
    let folder = tempfile::tempdir().unwrap();
    let student = handed_out("anna", folder.path()).await;
    let good = make(&student, now()).unwrap().bytes;
    let newer = changed(&good, |name, bytes| match name {
        "bundle.json" => {
            let text = String::from_utf8(bytes).unwrap();
            Some(text.replace("\"format\": 1", "\"format\": 7").into())
        }
        _ => Some(bytes),
    });
    let bomb = vec![0; 2 << 20];
    let many: Vec<String> = (0..2000).map(|n| format!("work/{n}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b""[..])).collect();
    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink(
        "work/answers.toml",
        "/etc/passwd",
        SimpleFileOptions::default(),
    )
    .unwrap();
    let link = link.finish().unwrap().into_inner();
    for (bytes, said) in [
        (&b""[..], "is empty"),
        (b"hello", "a text file"),
        (&good[..good.len() / 2], "a damaged ZIP archive"),
        (&archive(&[("x", b"")]), "without bundle.json"),
        (&archive(&[("bundle.json", b"{}")]), "is damaged"),
        (&newer, "format 7"),
        (&archive(&[("../work/x", b"")]), "unsafe name"),
        (&archive(&[("/etc/passwd", b"")]), "unsafe name"),
        (&archive(&[("work/./x", b"")]), "unsafe name"),
        (&archive(&[("work/c:x", b"")]), "unsafe name"),
        (&link, "is a link"),
        (&archive(&[("work/zeros", &bomb)]), "unpacks to more"),
        (&archive(&many), "unpacks to more"),
    ] {
        let error = read(bytes).unwrap_err().to_string();
        assert!(error.contains(said), "{said}: {error}");
    }
    // Where it was cut or changed, reading gives an answer and never panics.
    for at in (0..good.len()).step_by(97) {
        let _ = read(&good[..at]);
        let mut bytes = good.clone();
        bytes[at] ^= 0x55;
        let _ = read(&bytes);
    }
}
