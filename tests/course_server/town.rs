//! A class with a server, and somebody in the middle who can hold the bytes of the students.

use std::{
    collections::BTreeMap,
    fs,
    io::Read,
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread::{self, sleep},
    time::Duration,
};

use latchstring_tests::binary;
use tempfile::TempDir;

use crate::{
    class::{Class, solve, unpack},
    pair::{Home, OurServer, PASSWORD, server_command, succeeds},
};

pub(crate) const LAB: &str = "00-first-contact";

/// A class whose students have solved the lab, and hand in at a server that runs.
pub(crate) struct Town {
    pub(crate) class: Class,
    pub(crate) server: OurServer,
    pub(crate) proxy: Proxy,
    /// The unpacked archive of each student.
    pub(crate) folders: BTreeMap<String, PathBuf>,
    /// What `course invite` printed.
    pub(crate) invited: String,
    homes: TempDir,
    _operator: Home,
}

impl Town {
    pub(crate) fn new(students: usize) -> Self {
        let class = Class::new(students, &[LAB]);
        let operator = Home::new();
        let server = OurServer::new(&operator);
        let mut town = Self {
            proxy: Proxy::to(&server.host.port),
            class,
            server,
            folders: BTreeMap::new(),
            invited: String::new(),
            homes: tempfile::tempdir().unwrap(),
            _operator: operator,
        };
        town.invited = town.invite(&[]);
        town.class
            .runs(&["course", "hand-out", "out", "--invitations", "invitations"]);
        for student in town.class.students.clone() {
            let bytes = fs::read(town.class.path("out").join(format!("{student}.zip"))).unwrap();
            unpack(&bytes, &town.class.path("students"));
            let folder = town
                .class
                .path("students")
                .join(format!("network-security-{student}"));
            solve(&folder.join(LAB), LAB);
            town.folders.insert(student.clone(), folder);
            fs::create_dir(town.home_of(&student)).unwrap();
            let password = town.password(&student);
            fs::write(&password, format!("{PASSWORD}\n")).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&password, private).unwrap();
        }
        town
    }

    pub(crate) fn invite(&self, more: &[&str]) -> String {
        let invite = [
            "course",
            "invite",
            "invitations",
            "--server",
            self.server_path(),
        ];
        self.class.runs(&[&invite[..], more].concat())
    }

    pub(crate) fn server_path(&self) -> &str {
        self.server.dir.to_str().unwrap()
    }

    /// The home directory of a student.
    pub(crate) fn home_of(&self, student: &str) -> PathBuf {
        self.homes.path().join(student)
    }

    pub(crate) fn password(&self, student: &str) -> PathBuf {
        self.homes.path().join(format!("{student}.password"))
    }

    pub(crate) fn lab(&self, student: &str) -> PathBuf {
        self.folders[student].join(LAB)
    }

    pub(crate) fn bundle(&self, student: &str) -> PathBuf {
        self.lab(student)
            .join(format!("{LAB}.{student}.latchstring.zip"))
    }

    pub(crate) fn journal(&self, student: &str) -> PathBuf {
        self.bundle(student).with_extension("zip.sending")
    }

    pub(crate) fn address(&self, student: &str) -> String {
        format!("{student}@127.0.0.1:{}", self.proxy.port)
    }

    /// `latchstring`, as a student in the folder of the lab. Nobody is at a terminal.
    pub(crate) fn latchstring(&self, student: &str, arguments: &[&str]) -> Command {
        let mut command = self.at_a_terminal(student, arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    pub(crate) fn at_a_terminal(&self, student: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary("latchstring"));
        command.args(arguments).current_dir(self.lab(student));
        command.env("HOME", self.home_of(student));
        command.env("COLUMNS", "100");
        command
    }

    /// The command of the hand-out.
    pub(crate) fn submit(&self, student: &str) -> Command {
        self.submit_as(student, &self.lab(student))
    }

    /// The same in the folder of somebody else.
    pub(crate) fn submit_as(&self, student: &str, lab: &Path) -> Command {
        self.to(student, &self.address(student), lab)
    }

    pub(crate) fn to(&self, student: &str, address: &str, lab: &Path) -> Command {
        let mut command = self.latchstring(student, &["lab", "submit", "--to", address]);
        command
            .current_dir(lab)
            .arg("--invitation")
            .arg(self.folders[student].join("invitation"));
        command.arg("--password-file").arg(self.password(student));
        command
    }

    /// Makes a student's bundle larger than all that a client has on its way at once, with bytes that no compression makes short.
    pub(crate) fn enlarge(&self, student: &str) {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()
        };
        for name in ["one.bin", "two.bin"] {
            let bytes: Vec<u8> = (0..115_000).flat_map(|_| random()).collect();
            fs::write(self.lab(student).join(name), bytes).unwrap();
        }
    }

    /// Waits until a client that is held has heard of part 30.
    pub(crate) fn wait_until_held(&self, student: &str) {
        let acknowledged = |part| {
            let journal = fs::read_to_string(self.journal(student)).unwrap_or_default();
            journal.contains(&format!("\"part\":{part},"))
        };
        for _ in 0..3_000 {
            if acknowledged(30) {
                return assert!(!acknowledged(31));
            }
            sleep(Duration::from_millis(10));
        }
        panic!("the client never hears of part 30");
    }

    /// How many messages of a student the server holds.
    pub(crate) fn stored(&self, student: &str) -> usize {
        let messages = server_command(&self.server.dir, &["messages", student]).output();
        succeeds(messages.unwrap()).0.lines().count()
    }

    /// Collects into the folder `in`. Gives what is printed.
    pub(crate) fn collect(&self) -> String {
        let collect = ["course", "collect", "in", "--server", self.server_path()];
        self.class.runs(&collect)
    }

    /// The files of a student in the folder `in`, by name.
    pub(crate) fn collected(&self, student: &str) -> Vec<(String, Vec<u8>)> {
        let files = fs::read_dir(self.class.path("in").join(student)).unwrap();
        let mut files: Vec<_> = files
            .map(|file| {
                let path = file.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                (name, fs::read(path).unwrap())
            })
            .collect();
        files.sort();
        files
    }
}

/// The bytes of a record with a whole part in it.
const RECORD: u64 = 16_420;
/// The client's bytes until it is logged in.
const LOGIN: u64 = 74 + 1060;

/// Somebody in the middle, who passes so many bytes of each client on, and then no more.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    limit: Arc<AtomicU64>,
}

impl Proxy {
    /// From now on a client gets 30 parts through, and half of another.
    pub(crate) fn hold(&self) {
        let bytes = LOGIN + 30 * RECORD + RECORD / 2;
        self.limit.store(bytes, Ordering::SeqCst);
    }

    /// From now on each client gets everything through.
    pub(crate) fn let_go(&self) {
        self.limit.store(u64::MAX, Ordering::SeqCst);
    }

    fn to(port: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            port: listener.local_addr().unwrap().port(),
            limit: Arc::new(AtomicU64::new(u64::MAX)),
        };
        let (to, limit) = (format!("127.0.0.1:{port}"), proxy.limit.clone());
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect(&to) {
                    pass_on(client, server, limit.load(Ordering::SeqCst));
                }
            }
        });
        proxy
    }
}

fn pass_on(client: TcpStream, server: TcpStream, limit: u64) {
    let (mut up, mut sink) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    thread::spawn(move || {
        let passed = std::io::copy(&mut (&mut up).take(limit), &mut sink);
        // The end of the client is passed on; a held client is left alone.
        if passed.is_ok_and(|bytes| bytes < limit) {
            let _ = sink.shutdown(Shutdown::Write);
        }
    });
    thread::spawn(move || {
        let (mut server, mut client) = (server, client);
        let _ = std::io::copy(&mut server, &mut client);
        let _ = client.shutdown(Shutdown::Both);
    });
}
