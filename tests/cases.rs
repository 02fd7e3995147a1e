//! Captures that real use has shown to be misread: the table of `tests/cases/README.md`, row by row. `read`, the two
//! attacks and the library must agree on what is there, and each must say what is not.

use std::{
    collections::BTreeSet,
    fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use flate2::{Compression, write::GzEncoder};
use latchstring_attacker::{
    Claim,
    attack::Run,
    attacks::ALL,
    capture::{
        self, AnnotatedSession, Chunk, Contents, Side, Trace,
        dissect::{self, Protocol},
        pcapfile::{self, Packet, PcapWriter},
        write_annotated,
    },
    vantage::Wiretap,
};
use latchstring_tests::binary;
use rexpect::process::PtyProcess;

/// What was typed, and the command that ends the session.
const TYPED: [&str; 8] = [
    "hello my name is alice",
    "pay bob 10",
    "the meeting is at noon on friday",
    "please send me the report before then",
    "i will be there in the morning",
    "do not tell anyone about the money",
    "see you soon",
    "quit()",
];

/// What a program should make of a session.
#[derive(Clone, Copy)]
struct Row {
    file: &'static str,
    /// Its protocol is certain.
    certain: bool,
    /// What `cleartext-key` reads; `None` when the key is not in the capture.
    read: Option<Read>,
    /// How many ciphertexts there are without the key.
    ciphertexts: usize,
    /// What each program must say.
    says: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Read {
    All,
    /// All but this message, counted from 0.
    Without(usize),
    /// All; this message lacks so many bytes at its end.
    Cut(usize, usize),
    /// All, but this message is another one.
    Other(usize),
}

const WHOLE: Row = Row {
    file: "base.pcap",
    certain: true,
    read: Some(Read::All),
    ciphertexts: 8,
    says: &[],
};

const fn whole(file: &'static str, says: &'static [&'static str]) -> Row {
    Row {
        file,
        says,
        ..WHOLE
    }
}

const ROWS: &[Row] = &[
    WHOLE,
    Row {
        ciphertexts: 6,
        ..whole("coalesced.pcap", &[])
    },
    Row {
        ciphertexts: 9,
        ..whole("zwp.pcap", &[])
    },
    whole("login_split.pcap", &[]),
    whole("losefirst3.pcap", &["lacks the TCP handshake"]),
    Row {
        file: "mid_msgs.pcap",
        certain: false,
        read: None,
        ciphertexts: 7,
        says: &["could be the faithful protocol", "lacks the TCP handshake"],
    },
    Row {
        file: "oneway_c.pcap",
        certain: false,
        read: None,
        ciphertexts: 8,
        says: &[
            "could be the faithful protocol",
            "lacks 66 bytes of the server from byte 0",
        ],
    },
    Row {
        certain: false,
        ..whole(
            "losegreet.pcap",
            &[
                "could be the faithful protocol",
                "lacks 26 bytes of the server from byte 0",
            ],
        )
    },
    Row {
        read: None,
        ..whole("snap96.pcap", &["lacks 2 bytes"])
    },
    Row {
        read: Some(Read::Without(3)),
        ciphertexts: 7,
        ..whole(
            "losemsg.pcap",
            &["lacks 37 bytes of the client from byte 192"],
        )
    },
    Row {
        read: Some(Read::Cut(3, 3)),
        ..whole("ng_spb_snap.pcapng", &["lacks 3 bytes"])
    },
    whole("pppoe.pcap", &[]),
    whole("vlan4.pcap", &[]),
    whole("ng_opb.pcapng", &[]),
    whole("ng_snaplen_small.pcapng", &[]),
    whole(
        "ng_if_unknown_used.pcapng",
        &["1 packet was not understood: link type 220 (USB)"],
    ),
    whole("cutlast.pcap", &["is cut off: a packet at offset 2795"]),
    whole("ng_trunc.pcapng", &["is cut off: a block at offset 3328"]),
    whole(
        "twice_nosyn.pcap",
        &["session 2", "lacks the TCP handshake"],
    ),
    whole("ng_esc_comment.pcapng", &[]),
    Row {
        read: Some(Read::Other(3)),
        ..whole("escmsg.pcap", &[])
    },
];

const STRANGER: &str = "not_faithful.pcap";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("cases/captures")
}

fn contents(file: &str) -> Contents {
    capture::read(&folder().join(file)).unwrap()
}

fn claim_of(id: &str, trace: &Trace) -> Claim {
    let attack = ALL.iter().find(|attack| attack.id == id).unwrap();
    let wiretap = Wiretap::of_deployed(trace.clone());
    match attack.run {
        Run::Sniff(program) => program(&wiretap).claim,
        Run::SniffClientOnly(program) => program(&wiretap.blanked()).claim,
        _ => panic!("{id} does not only listen"),
    }
}

fn expected(read: Read) -> Vec<Vec<Option<u8>>> {
    let known = |text: &str| text.bytes().map(Some).collect::<Vec<_>>();
    let mut messages = TYPED.map(known).to_vec();
    match read {
        Read::All | Read::Other(_) => {}
        Read::Without(index) => drop(messages.remove(index)),
        Read::Cut(index, lacks) => {
            let from = messages[index].len() - lacks;
            messages[index][from..].fill(None);
        }
    }
    messages
}

#[test]
fn every_file_has_a_row_and_a_line_in_the_table() {
    let files: BTreeSet<_> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let rows: BTreeSet<_> = ROWS
        .iter()
        .map(|row| row.file.to_owned())
        .chain([STRANGER.to_owned()])
        .collect();
    assert_eq!(files, rows);
    let readme = fs::read_to_string(folder().join("../README.md")).unwrap();
    for file in files {
        assert!(readme.contains(&format!("| `{file}` |")), "{file}");
    }
}

#[test]
fn the_library_knows_what_is_there() {
    for row in ROWS {
        let contents = contents(row.file);
        let sessions = if row.file == "twice_nosyn.pcap" { 2 } else { 1 };
        assert_eq!(contents.sessions.len(), sessions, "{}", row.file);
        for session in &contents.sessions {
            let identity = dissect::identify(&session.trace);
            assert_eq!(identity.protocol, Protocol::Faithful, "{}", row.file);
            assert_eq!(
                identity.is_certain(),
                row.certain,
                "{}: {identity}",
                row.file
            );
            let found = dissect::faithful(&session.trace).messages.len();
            assert_eq!(found, row.ciphertexts, "{}", row.file);
        }
    }
    let stranger = &contents(STRANGER).sessions[0].trace;
    assert_eq!(dissect::protocol(stranger), Protocol::Unknown);
}

#[test]
fn cleartext_key_reads_what_can_be_read_and_no_more() {
    for row in ROWS {
        for session in contents(row.file).sessions {
            let claim = claim_of("cleartext-key", &session.trace);
            let Some(read) = row.read else {
                assert_eq!(claim, Claim::Nothing, "{}", row.file);
                continue;
            };
            let Claim::Read(mut messages) = claim else {
                panic!("{}: nothing was read", row.file);
            };
            let mut expected = expected(read);
            if let Read::Other(index) = read {
                assert_eq!(messages[index][..5], (*b"\x1b]0;o").map(Some));
                messages.remove(index);
                expected.remove(index);
            }
            assert_eq!(messages, expected, "{}", row.file);
        }
    }
}

/// What a program prints, on both outputs, and how it ends.
fn printed(program: &str, arguments: &[&str], file: &str) -> (String, Option<i32>) {
    let output = Command::new(binary(program))
        .args(arguments)
        .arg(folder().join(file))
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (
        String::from_utf8_lossy(&text).into_owned(),
        output.status.code(),
    )
}

#[test]
fn read_says_what_is_there_and_what_is_not() {
    for row in ROWS {
        let (text, code) = printed("latchstring", &["read", "--decrypt"], row.file);
        assert_eq!(code, Some(0), "{}: {text}", row.file);
        let unwrapped = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for line in row.says {
            assert!(
                unwrapped.contains(line),
                "{}: no {line:?} in {text}",
                row.file
            );
        }
        for (index, typed) in TYPED.iter().enumerate() {
            let whole = text.contains(&format!("\"{typed}\"\n"));
            let expected = match row.read {
                None => false,
                Some(Read::All) => true,
                Some(Read::Without(other) | Read::Cut(other, _) | Read::Other(other)) => {
                    other != index
                }
            };
            assert_eq!(whole, expected, "{}: {typed:?} in {text}", row.file);
        }
        let long = text
            .lines()
            .find(|line| line.chars().count() > 80 && !line.contains("message"));
        assert_eq!(
            long.filter(|line| !line.contains('#')),
            None,
            "{}",
            row.file
        );
    }
}

#[test]
fn attacks_say_what_is_not_there_and_how_sure_they_are() {
    for row in ROWS {
        let (text, code) = printed(
            "latchstring-attack",
            &["run", "cleartext-key", "--capture"],
            row.file,
        );
        assert_eq!(
            code,
            Some(if row.read.is_some() { 0 } else { 1 }),
            "{}: {text}",
            row.file
        );
        for line in row.says {
            assert!(text.contains(line), "{}: no {line:?} in {text}", row.file);
        }
        assert!(!text.contains("login failed"), "{}: {text}", row.file);
        let recut = matches!(row.file, "coalesced.pcap" | "zwp.pcap");
        assert_eq!(text.contains("are a guess"), recut, "{}: {text}", row.file);
    }
}

#[test]
fn of_a_strangers_session_nothing_is_claimed() {
    for attack in ["cleartext-key", "keystream-reuse"] {
        let (text, code) = printed(
            "latchstring-attack",
            &["run", attack, "--capture"],
            STRANGER,
        );
        assert_eq!(code, Some(1), "{attack}: {text}");
        assert!(text.contains("unknown protocol"), "{attack}: {text}");
        assert!(
            !text.contains("read:") && !text.contains("opens to"),
            "{attack}: {text}"
        );
    }
    let (text, code) = printed("latchstring", &["read"], STRANGER);
    assert!(
        code == Some(0) && text.contains("unknown protocol"),
        "{text}"
    );
}

#[test]
fn keystream_reuse_has_its_ciphertexts_without_the_key() {
    // A few of the rows: the solver takes its time in a debug build.
    for file in [
        "mid_msgs.pcap",
        "oneway_c.pcap",
        "ng_spb_snap.pcapng",
        "coalesced.pcap",
        "zwp.pcap",
    ] {
        let trace = &contents(file).sessions[0].trace;
        let Claim::Read(messages) = claim_of("keystream-reuse", trace) else {
            panic!("{file}: nothing was read");
        };
        let typed = &TYPED[TYPED.len() - messages.len()..];
        let bytes = typed
            .iter()
            .zip(&messages)
            .flat_map(|(text, read)| text.bytes().zip(read));
        let (right, all) = bytes.fold((0, 0), |(right, all), (byte, read)| {
            (right + usize::from(*read == Some(byte)), all + 1)
        });
        assert!(right * 10 >= all * 8, "{file}: {right} of {all}");
    }
}

/// What a program writes to a terminal of 80 columns, byte by byte.
fn on_a_terminal(program: &str, arguments: &[&str]) -> String {
    let mut command = Command::new(binary(program));
    command.args(arguments).current_dir(folder());
    let process = PtyProcess::new(command).unwrap();
    let mut screen = process.get_file_handle().unwrap();
    let mut bytes = Vec::new();
    let mut buffer = [0; 4096];
    // On Linux a terminal that everybody has left gives an error and not an end.
    while let Ok(count @ 1..) = screen.read(&mut buffer) {
        bytes.extend(&buffer[..count]);
    }
    String::from_utf8(bytes).unwrap()
}

fn steers(c: char) -> bool {
    let bidirectional =
        matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (c.is_control() && !matches!(c, '\r' | '\n' | '\t')) || bidirectional
}

#[test]
fn what_a_stranger_wrote_cannot_steer_a_terminal() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("evil.pcapng");
    let evil = "\u{1b}]0;title\u{7}\u{9b}2J \u{202e}gnp.exe\u{200b}";
    let mut session = AnnotatedSession {
        trace: contents("base.pcap").sessions.remove(0).trace,
        comments: Vec::new(),
    };
    session.comments.push((0, evil.to_owned()));
    write_annotated(&file, &[session], evil, Duration::from_secs(1)).unwrap();
    let file = file.to_str().unwrap();
    let missing = "\u{1b}[31m\u{202e}.pcap";
    for (program, arguments, shown) in [
        ("latchstring", &["read", file][..], r"\u{202e}gnp.exe"),
        (
            "latchstring",
            &["read", "ng_esc_comment.pcapng"],
            r"\u{1b}[2Jcleared",
        ),
        (
            "latchstring",
            &["read", "--decrypt", "escmsg.pcap"],
            r"\u{1b}]0;owned",
        ),
        ("latchstring", &["read", missing], r"\u{202e}.pcap"),
        (
            "latchstring-attack",
            &["run", "cleartext-key", "--capture", "escmsg.pcap"],
            r"\u{1b}]0;owned",
        ),
        (
            "latchstring-attack",
            &["run", "cleartext-key", "--json", "--capture", "escmsg.pcap"],
            r"u001b]0;owned",
        ),
        (
            "latchstring-attack",
            &["run", "cleartext-key", "--capture", missing],
            r"\u{202e}.pcap",
        ),
    ] {
        let text = on_a_terminal(program, arguments);
        assert_eq!(
            text.chars().find(|c| steers(*c)),
            None,
            "{arguments:?}: {text:?}"
        );
        assert!(text.contains(shown), "{arguments:?}: {text}");
    }
    // A pipe gets the exact bytes.
    let piped = Command::new(binary("latchstring"))
        .args(["read", file])
        .output()
        .unwrap();
    assert!(String::from_utf8(piped.stdout).unwrap().contains(evil));
    let (text, _) = printed(
        "latchstring-attack",
        &["run", "cleartext-key", "--capture"],
        "escmsg.pcap",
    );
    assert!(text.contains("\u{1b}]0;owned"));
}

#[test]
fn a_capture_comes_through_a_pipe_and_compressed() {
    let bytes = fs::read(folder().join("base.pcap")).unwrap();
    let mut zipped = GzEncoder::new(Vec::new(), Compression::default());
    zipped.write_all(&bytes).unwrap();
    let (plain, _) = printed("latchstring", &["read", "--full"], "base.pcap");
    for input in [bytes, zipped.finish().unwrap()] {
        let mut child = Command::new(binary("latchstring"))
            .args(["read", "--full", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(&input).unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), plain);
    }
    assert!(plain.contains("|Authentication S|"), "{plain}");
    assert!(
        plain.lines().all(|line| line.chars().count() <= 80),
        "{plain}"
    );
}

/// The packets of the untouched capture.
fn packets() -> Vec<Packet> {
    let packets = pcapfile::open(&folder().join("base.pcap")).unwrap();
    packets.map(Result::unwrap).collect()
}

/// What a capture with these packets holds.
fn written(packets: &[Packet]) -> Trace {
    let mut file = PcapWriter::new(Vec::new(), packets[0].link).unwrap();
    packets
        .iter()
        .for_each(|packet| file.write(packet).unwrap());
    let mut sessions = capture::sessions_from_bytes("made", &file.into_inner()).unwrap();
    assert_eq!(sessions.len(), 1);
    sessions.remove(0)
}

/// Every byte that is claimed is right, and in its place.
fn assert_true(messages: &[Vec<Option<u8>>], how: &str) {
    assert_eq!(messages.len(), TYPED.len(), "{how}");
    for (message, typed) in messages.iter().zip(TYPED) {
        assert_eq!(message.len(), typed.len(), "{how}");
        let known = message
            .iter()
            .zip(typed.bytes())
            .all(|(read, byte)| read.is_none_or(|read| read == byte));
        assert!(known, "{how}: {message:?}");
    }
}

#[test]
fn wherever_the_recorder_cuts_nothing_is_made_up() {
    // Headers of 66 bytes, and 128 bytes of login.
    for snaplen in 54..=200 {
        let cut = |mut packet: Packet| {
            packet.bytes.truncate(snaplen);
            packet
        };
        let trace = written(&packets().into_iter().map(cut).collect::<Vec<_>>());
        let identity = dissect::identify(&trace);
        assert_eq!(identity.protocol, Protocol::Faithful, "{snaplen}");
        assert_eq!(identity.is_certain(), snaplen >= 66 + 26, "{snaplen}");
        match claim_of("cleartext-key", &trace) {
            Claim::Read(messages) => assert_true(&messages, &format!("snaplen {snaplen}")),
            claim => assert!(claim == Claim::Nothing && snaplen < 66 + 32, "{snaplen}"),
        }
    }
}

#[test]
fn whichever_packet_is_lost_the_rest_is_read_and_the_loss_is_said() {
    let all = packets();
    let whole = written(&all);
    for lost in 0..all.len() {
        let kept: Vec<_> = all
            .iter()
            .enumerate()
            .filter(|(at, _)| *at != lost)
            .map(|(_, packet)| packet.clone())
            .collect();
        let trace = written(&kept);
        let carried = [Side::Client, Side::Server]
            .map(|side| whole.stream(side).len() - trace.stream(side).len());
        let missing = |side| {
            trace
                .gaps
                .iter()
                .filter(move |gap| gap.from == side)
                .filter_map(|gap| gap.bytes)
                .sum::<u64>()
        };
        assert_eq!(
            [Side::Client, Side::Server].map(missing),
            carried.map(|bytes| bytes as u64),
            "without packet {lost}"
        );
        assert_eq!(
            dissect::protocol(&trace),
            Protocol::Faithful,
            "without packet {lost}"
        );
        let claim = claim_of("cleartext-key", &trace);
        // Packets 7 and 9 carry the key and the IV.
        assert_eq!(
            claim == Claim::Nothing,
            matches!(lost, 7 | 9),
            "without packet {lost}"
        );
    }
}

#[test]
fn wherever_the_capture_begins_it_says_what_is_not_there() {
    let all = packets();
    for begin in 1..all.len() - 4 {
        let trace = written(&all[begin..]);
        let identity = dissect::identify(&trace);
        assert_eq!(identity.protocol, Protocol::Faithful, "from packet {begin}");
        // Packet 5 is the greeting; the key and the IV follow.
        assert_eq!(
            identity.is_certain(),
            begin <= 5,
            "from packet {begin}: {identity}"
        );
        let claim = claim_of("cleartext-key", &trace);
        assert_eq!(claim == Claim::Nothing, begin > 7, "from packet {begin}");
        if begin > 2 {
            assert!(
                dissect::lacking(&trace)
                    .iter()
                    .any(|line| line.contains("handshake")),
                "from packet {begin}"
            );
        }
    }
}

#[test]
fn however_messages_are_cut_the_key_finds_them() {
    let whole = written(&packets());
    let sent = dissect::faithful(&whole).messages.concat();
    let before: Vec<_> = whole.chunks.iter().take(4).cloned().collect();
    let mut state = 1_u64;
    let mut below = |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for round in 0..40 {
        let mut cuts: Vec<usize> = (0..below(12)).map(|_| 1 + below(sent.len() - 1)).collect();
        cuts.extend([0, sent.len()]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut trace = Trace {
            chunks: before.clone(),
            ..whole.clone()
        };
        let at = before[3].at;
        let segments = cuts.windows(2).map(|cut| Chunk {
            from: Side::Client,
            at,
            bytes: sent[cut[0]..cut[1]].to_vec(),
        });
        trace.chunks.extend(segments);
        let Claim::Read(messages) = claim_of("cleartext-key", &trace) else {
            panic!("round {round}: nothing was read");
        };
        assert_true(&messages, &format!("round {round}, cut at {cuts:?}"));
    }
}
