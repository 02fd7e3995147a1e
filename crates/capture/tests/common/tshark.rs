//! Wireshark on the command line, as an independent judge. Where it is not installed, the tests say so.

use std::{path::Path, process::Command};

/// What tshark prints, or `None` without tshark.
pub(crate) fn run(path: &Path, args: &[&str]) -> Option<String> {
    let Ok(output) = Command::new("tshark")
        .arg("-r")
        .arg(path)
        .args(args)
        .output()
    else {
        eprintln!(
            "SKIPPED: tshark is not installed (`apt install tshark`), so nothing was compared with it"
        );
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

/// Both streams of a session by Wireshark's reassembly: what the first sender sent, and the other.
pub(crate) fn follow(path: &Path, session: usize) -> Option<(Vec<u8>, Vec<u8>)> {
    let text = run(path, &["-q", "-z", &format!("follow,tcp,raw,{session}")])?;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    // Lines of hexadecimal digits; those of the second node begin with a tab.
    for line in text
        .lines()
        .skip_while(|line| !line.starts_with("Node 1"))
        .skip(1)
    {
        let stream = if line.starts_with('\t') {
            &mut second
        } else {
            &mut first
        };
        let digits = line.trim();
        if digits.chars().all(|digit| digit.is_ascii_hexdigit()) {
            let bytes = digits
                .as_bytes()
                .chunks(2)
                .map(|pair| std::str::from_utf8(pair).unwrap());
            stream.extend(bytes.map(|pair| u8::from_str_radix(pair, 16).unwrap()));
        }
    }
    Some((first, second))
}
