//! Wireshark shows what the captures of the attacks say of themselves. It is started once a capture, so this is not part of
//! the everyday run:
//!
//! ```sh
//! cargo test --workspace --test wireshark_comments
//! ```

use std::{fs, process::Command};

use latchstring_attacker::{attacks::ALL, capture::annotated_from_bytes};
use latchstring_tests::workspace;

#[test]
fn wireshark_shows_the_comments_of_every_capture() {
    for attack in ALL {
        let file = workspace().join(format!("captures/{}.pcapng", attack.id));
        let fields = ["-T", "fields", "-e", "frame.comment", "-Y", "frame.comment"];
        let tshark = Command::new("tshark")
            .arg("-r")
            .arg(&file)
            .args(fields)
            .output();
        let Ok(tshark) = tshark else {
            eprintln!(
                "SKIPPED: tshark is not installed (`apt install tshark`), so nothing was compared with it"
            );
            return;
        };
        let shown = String::from_utf8(tshark.stdout).unwrap();
        for session in annotated_from_bytes(attack.id, &fs::read(file).unwrap()).unwrap() {
            for (_, text) in session.comments {
                let line = text.lines().next().unwrap();
                assert!(shown.contains(line), "{}: {line}", attack.id);
            }
        }
    }
}
