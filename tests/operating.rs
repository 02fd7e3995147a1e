//! The operator's page is run from its first line to its last: every command on it, with the built programs, in a
//! directory of its own. What the page says that they print is what they print; keys, times and ports are patterns.
//!
//! What a test may not do to its machine is done by stand-ins: `systemctl` and `useradd` only note that they were called,
//! and the user `latchstring` is whoever runs the test.

use std::{
    fs::{self, Permissions},
    io::Write,
    net::TcpStream,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    thread::sleep,
    time::Duration,
};

use latchstring_net::{picture::picture, port::ReservedPort};
use latchstring_tests::{binary, workspace};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use regex::Regex;
use rexpect::session::{PtySession, spawn_command};
use tempfile::TempDir;

const PROGRAMS: [&str; 2] = ["latchstring-server", "latchstring-client"];
const PASSWORD: &str = "correct horse battery staple";
const PATIENCE: Duration = Duration::from_secs(60);

/// A fenced block of the page.
#[derive(Debug, Clone)]
struct Block {
    kind: String,
    text: String,
}

/// One command of a `console` block, and the lines that it prints.
#[derive(Debug)]
struct Step {
    command: String,
    printed: Vec<String>,
}

impl Block {
    fn steps(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for line in self.text.lines() {
            match (line.strip_prefix("$ "), steps.last_mut()) {
                (Some(command), _) => steps.push(Step {
                    command: command.to_owned(),
                    printed: Vec::new(),
                }),
                (None, Some(step)) => step.printed.push(line.to_owned()),
                (None, None) => panic!("a console block begins with a command: {}", self.text),
            }
        }
        steps
    }
}

/// The blocks of the page that no test has run yet, in order.
struct Page(Vec<Block>);

impl Page {
    fn read(name: &str) -> Self {
        let text = fs::read_to_string(workspace().join("docs/src").join(name)).unwrap();
        let mut blocks: Vec<Block> = Vec::new();
        let mut inside = false;
        for line in text.lines() {
            match line.strip_prefix("```") {
                Some(kind) if !inside => {
                    let kind = kind.to_owned();
                    let text = String::new();
                    blocks.push(Block { kind, text });
                    inside = true;
                }
                Some(_) => inside = false,
                None if inside => {
                    let block = blocks.last_mut().unwrap();
                    block.text.push_str(line);
                    block.text.push('\n');
                }
                None => {}
            }
        }
        blocks.reverse();
        Self(blocks)
    }

    /// The next block, which must be of this kind and hold this.
    fn next(&mut self, kind: &str, holds: &str) -> Block {
        let block = self
            .0
            .pop()
            .unwrap_or_else(|| panic!("no block with {holds}"));
        assert!(
            block.kind == kind && block.text.contains(holds),
            "the next block of the page should be {kind} with {holds}, but it is {block:?}: teach this test the new page"
        );
        block
    }

    fn is_done(&self) {
        let left: Vec<_> = self.0.iter().rev().map(|block| &block.text).collect();
        assert!(
            left.is_empty(),
            "nobody runs these blocks of the page: {left:?}"
        );
    }
}

/// A machine for the page: its directories, its names and its port.
struct Machine {
    root: TempDir,
    port: ReservedPort,
    metrics: ReservedPort,
    server: Option<Child>,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        for dir in [
            "var/lib",
            "etc/latchstring",
            "root",
            "home/alice",
            "srv",
            "bin",
        ] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let machine = Self {
            root,
            port: ReservedPort::take().unwrap(),
            metrics: ReservedPort::take().unwrap(),
            server: None,
        };
        for name in ["systemctl", "useradd"] {
            machine.program(name, "#!/bin/sh\necho \"$0 $*\" >> \"$0.called\"\n");
        }
        // The rest of the line, as whoever runs the test.
        machine.program(
            "runuser",
            "#!/bin/sh\n[ \"$1 $2 $3\" = '-u latchstring --' ] || exit 2\nshift 3\nexec \"$@\"\n",
        );
        machine
    }

    fn program(&self, name: &str, text: &str) {
        let path = self.path("bin").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o755)).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A text of the page, as it is on this machine.
    fn here(&self, text: &str) -> String {
        let root = self.root.path().display();
        let mut text = text.to_owned();
        for dir in [
            "/var/lib/latchstring",
            "/etc/latchstring",
            "/root/",
            "/home/alice",
            "/srv/latchstring",
            "/usr/local/bin",
        ] {
            let here = match dir {
                "/usr/local/bin" => format!("{root}/bin"),
                dir => format!("{root}{dir}"),
            };
            text = text.replace(dir, &here);
        }
        text.replace(
            "0.0.0.0:22223",
            &format!("127.0.0.1:{}", self.port.number()),
        )
        .replace(
            "example.org:22223",
            &format!("127.0.0.1:{}", self.port.number()),
        )
        .replace("example.org", &format!("127.0.0.1:{}", self.port.number()))
        .replace(
            "127.0.0.1:9464",
            &format!("127.0.0.1:{}", self.metrics.number()),
        )
        .replace(" -o latchstring -g latchstring", "")
    }

    fn command(&self, line: &str) -> Command {
        let mut command = Command::new("bash");
        let path = std::env::var("PATH").unwrap();
        command
            .args(["-euc", &self.here(line)])
            .current_dir(self.path("root"))
            .env("HOME", self.path("home/alice"))
            .env("PATH", format!("{}:{path}", self.path("bin").display()))
            .env_remove("RUST_LOG");
        command
    }

    fn output(&self, line: &str) -> Output {
        self.command(line).stdin(Stdio::null()).output().unwrap()
    }

    /// Runs a line of the page that must succeed; what it prints on the standard output.
    fn succeed(&self, line: &str) -> String {
        let output = self.output(line);
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Runs a step that asks for nothing, and compares what it prints.
    fn run(&self, step: &Step) -> String {
        let said = self.succeed(&step.command);
        self.compare(step, said.lines());
        said
    }

    /// Runs every step of a block, and each prints no more than the page says.
    fn run_all(&self, block: &Block) {
        // A key that this machine has made, in the place of that of the page.
        let key = Regex::new("SHA256:[A-Za-z0-9+/]{43}").unwrap();
        let here = self.fingerprint();
        for mut step in block.steps() {
            step.command = key.replace_all(&step.command, &here[..]).into_owned();
            let said = self.run(&step);
            assert_eq!(said.lines().count(), step.printed.len(), "{said}");
        }
    }

    /// The fingerprint of the server that runs.
    fn fingerprint(&self) -> String {
        let listening = fs::read_to_string(self.path("listening")).unwrap();
        listening.trim().rsplit(' ').next().unwrap().to_owned()
    }

    fn compare<'a>(&self, step: &Step, said: impl Iterator<Item = &'a str>) {
        let mut said = said;
        for expected in &step.printed {
            let line = said
                .next()
                .unwrap_or_else(|| panic!("{step:?} prints less"));
            let pattern = self.pattern(expected);
            assert!(
                pattern.is_match(line),
                "{}: the page says {expected}, the program {line}",
                step.command
            );
        }
    }

    /// A printed line of the page as a pattern: any key, token, time, port and address.
    fn pattern(&self, line: &str) -> Regex {
        let mut pattern = regex::escape(&self.here(line));
        for (shown, any) in [
            (r"SHA256:[A-Za-z0-9+/\\]{43,}", "SHA256:[A-Za-z0-9+/]{43}"),
            (r":[A-Za-z0-9_\\-]{22,26}$", ":[A-Za-z0-9_-]{22}"),
            (
                r"\d{4}\\-\d\d\\-\d\dT[\d:]+\\\.\d+Z",
                r"\d{4}-\d\d-\d\dT[\d:]+\.\d{6}Z",
            ),
            (r"\d{4}\\-\d\d\\-\d\dT[\d:]+Z", r"\d{4}-\d\d-\d\dT[\d:]+Z"),
            (r"127\\.0\\.0\\.1:\d+", r"127\.0\.0\.1:\d+"),
            ("pepper [0-9a-f]{8}", "pepper [0-9a-f]{8}"),
        ] {
            let shown = Regex::new(shown).unwrap();
            pattern = shown
                .replace_all(&pattern, regex::NoExpand(any))
                .into_owned();
        }
        Regex::new(&format!("^{pattern}$")).unwrap()
    }

    /// Runs a step at a terminal. A printed line that ends with a colon is a question, and gets the next answer.
    fn talk(&self, step: &Step, answers: &[&str]) -> PtySession {
        let mut terminal = spawn_command(self.command(&step.command), Some(60_000)).unwrap();
        let mut answers = answers.iter();
        for line in &step.printed {
            let pattern = self.pattern(line).to_string();
            let pattern = pattern
                .trim_start_matches('^')
                .trim_end_matches('$')
                .to_owned();
            let seen = terminal.exp_regex(&pattern);
            seen.unwrap_or_else(|why| panic!("{}: the page says {line}: {why}", step.command));
            if line.ends_with(':') {
                terminal
                    .send_line(answers.next().expect("an answer"))
                    .unwrap();
            }
        }
        assert_eq!(answers.len(), 0, "{step:?} asks for less");
        terminal
    }

    /// Runs the step that serves, in the background.
    fn serve(&mut self, step: &Step) {
        let listening = self.path("listening");
        let mut command = self.command(&format!("exec {}", step.command));
        command.stdout(fs::File::create(&listening).unwrap());
        command.stderr(fs::File::create(self.path("log")).unwrap());
        self.server = Some(command.spawn().unwrap());
        let said = wait_for(|| {
            let said = fs::read_to_string(&listening).unwrap();
            said.ends_with('\n').then_some(said)
        });
        self.compare(step, said.lines());
    }

    /// Stops the server, which must end in order.
    fn stop(&mut self) {
        let mut server = self.server.take().expect("a server");
        kill(
            Pid::from_raw(server.id().try_into().unwrap()),
            Signal::SIGTERM,
        )
        .unwrap();
        assert!(server.wait().unwrap().success());
    }

    fn calls(&self, program: &str) -> String {
        fs::read_to_string(self.path("bin").join(format!("{program}.called"))).unwrap_or_default()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(server) = &mut self.server {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

fn wait_for<T>(mut look: impl FnMut() -> Option<T>) -> T {
    let pause = Duration::from_millis(10);
    for _ in 0..PATIENCE.as_millis() / pause.as_millis() {
        if let Some(found) = look() {
            return found;
        }
        sleep(pause);
    }
    panic!("it does not come")
}

fn ends_well(terminal: PtySession) {
    let mut terminal = terminal;
    let rest = terminal.exp_eof().unwrap();
    let status = terminal.process().wait().unwrap();
    assert!(
        matches!(status, nix::sys::wait::WaitStatus::Exited(_, 0)),
        "{status:?}: {rest}"
    );
}

#[test]
fn the_operators_page_does_what_it_says_from_top_to_bottom() {
    let mut page = Page::read("operating.md");
    let mut machine = Machine::new();
    install(&mut page, &machine);
    by_invitation(&mut page, &mut machine);
    let mut machine = Machine::new();
    link_programs(&machine);
    by_hand(&mut page, &mut machine);
    back_up_and_restore(&mut page, &mut machine);
    replace_the_host_key(&mut page, &mut machine);
    read_the_log(&mut page, &mut machine);
    read_the_metrics(&mut page, &mut machine);
    as_a_service(&mut page, &machine);
    behind_a_balancer(&mut page, &mut machine);
    fingerprint_as_a_picture(&mut page, &machine);
    make_a_pepper(&mut page, &machine);
    move_users(&mut page, &machine);
    in_scripts(&mut page, &mut machine);
    send_a_file(&mut page, &mut machine);
    collect_files(&mut page, &machine);
    deliver_to_sinks(&mut page, &mut machine);
    remove_old_messages(&mut page, &mut machine);
    page.is_done();
}

/// The client's page begins where the operator's first session ends: alice has a key and an account.
#[test]
fn the_clients_page_does_what_it_says_from_top_to_bottom() {
    let mut page = Page::read("client.md");
    let mut machine = Machine::new();
    link_programs(&machine);
    with_an_account(&mut machine);
    for sent in ["the door is open", "printf"] {
        let block = page.next("console", sent);
        machine.run_all(&block);
    }
    names_for_hosts(&mut page, &machine);
    let changed = page.next("console", "--change-passphrase");
    let answers = ["a new passphrase", "a new passphrase"];
    ends_well(machine.talk(&changed.steps()[0], &answers));
    for shown in ["known-hosts list", "latchstring-client status"] {
        let block = page.next("console", shown);
        machine.run_all(&block);
    }
    page.is_done();
}

/// A server, and alice's account with the password in `pw`.
fn with_an_account(machine: &mut Machine) {
    machine.succeed("latchstring-server init --dir /var/lib/latchstring --listen 0.0.0.0:22223");
    machine.succeed(&format!(
        "echo '{PASSWORD}' >pw; chmod 600 pw; cp pw /home/alice/work.pw; latchstring-client keygen"
    ));
    machine.succeed(
        "latchstring-server user add alice --key /home/alice/.latchstring/id.pub.pem --password-file pw \
         --dir /var/lib/latchstring",
    );
    machine.serve(&Step {
        command: "latchstring-server serve --dir /var/lib/latchstring".to_owned(),
        printed: Vec::new(),
    });
    let fingerprint = machine.fingerprint();
    machine.succeed(&format!(
        "latchstring-client known-hosts add example.org {fingerprint}"
    ));
}

/// The file of the page, and a command that uses it.
fn names_for_hosts(page: &mut Page, machine: &Machine) {
    let file = page.next("text", "Host work");
    let here = format!("HostName 127.0.0.1\n    Port {}", machine.port.number());
    let text = file.text.replace("HostName example.org", &here);
    assert_ne!(text, file.text);
    let path = machine.path("home/alice/.config/latchstring/config");
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(0o600)).unwrap();
    machine.run_all(&page.next("console", "send work"));
}

/// Building is what made these programs, so of that only the packages are looked at; the rest is done.
fn install(page: &mut Page, machine: &Machine) {
    let block = page.next("sh", "cargo build");
    let (build, install) = block.text.split_once('\n').unwrap();
    for program in PROGRAMS {
        assert!(build.contains(&format!("-p {program}")), "{build}");
    }
    let release = binary(PROGRAMS[0]).parent().unwrap().display().to_string();
    machine.succeed(&install.replace("target/release", &release));
    for program in PROGRAMS {
        assert!(machine.path("bin").join(program).exists(), "{program}");
    }
}

fn link_programs(machine: &Machine) {
    for program in PROGRAMS {
        let here = machine.path("bin").join(program);
        std::os::unix::fs::symlink(binary(program), here).unwrap();
    }
}

fn by_invitation(page: &mut Page, machine: &mut Machine) {
    let made = page.next("console", "latchstring-server init");
    machine.run(&made.steps()[0]);
    let invited = page.next("console", "latchstring-server invite");
    let [invite, serve] = &invited.steps()[..] else {
        panic!("{invited:?}")
    };
    let line = machine.run(invite);
    machine.serve(serve);
    let enrolled = page.next("console", "latchstring-client enrol");
    let answers = [line.trim(), PASSWORD, PASSWORD];
    ends_well(machine.talk(&enrolled.steps()[0], &answers));
    machine.stop();
}

/// On another machine: there, nobody was invited.
fn by_hand(page: &mut Page, machine: &mut Machine) {
    machine.succeed("latchstring-server init --dir /var/lib/latchstring --listen 0.0.0.0:22223");
    let made = page.next("console", "latchstring-client keygen");
    ends_well(machine.talk(&made.steps()[0], &[""]));
    let public = machine.path("home/alice/.latchstring/id.pub.pem");
    fs::copy(public, machine.path("root/id.pub.pem")).unwrap();
    let added = page.next("console", "latchstring-server user add");
    let [add, serve] = &added.steps()[..] else {
        panic!("{added:?}")
    };
    ends_well(machine.talk(add, &[PASSWORD, PASSWORD]));
    machine.serve(serve);
    let connected = page.next("console", "latchstring-client connect");
    let step = &connected.steps()[0];
    let mut terminal = machine.talk(step, &[]);
    let (_, met) = terminal.exp_regex("SHA256:[A-Za-z0-9+/]{43}").unwrap();
    for line in picture(&met.parse().unwrap(), "host key").lines() {
        terminal.exp_string(line).unwrap();
    }
    terminal.exp_string("yes").unwrap();
    terminal.send_line("yes").unwrap();
    terminal.exp_regex("[Pp]assword[^:]*.*: ?").unwrap();
    terminal.send_line(PASSWORD).unwrap();
    terminal.exp_string("Logged in").unwrap();
    terminal.send_line("hello from the page").unwrap();
    terminal.exp_string("Stored: 1").unwrap();
    terminal.send_control('d').unwrap();
    ends_well(terminal);
    let messages = machine.succeed("latchstring-server messages alice --dir /var/lib/latchstring");
    assert_eq!(messages, "1\thello from the page\n");
}

fn back_up_and_restore(page: &mut Page, machine: &mut Machine) {
    let backup = page.next("console", "latchstring-server backup");
    machine.run(&backup.steps()[0]);
    let restore = page.next("console", "latchstring-server restore");
    machine.run(&restore.steps()[0]);
    let messages = machine.succeed("latchstring-server messages alice --dir /srv/latchstring");
    assert_eq!(messages, "1\thello from the page\n");
}

fn replace_the_host_key(page: &mut Page, machine: &mut Machine) {
    let block = page.next("sh", "systemctl stop");
    let (before, after) = block
        .text
        .split_once("systemctl stop latchstring\n")
        .unwrap();
    let fresh = machine.succeed(before);
    machine.stop();
    machine.succeed(&format!("systemctl stop latchstring\n{after}"));
    assert_eq!(machine.calls("systemctl").lines().count(), 2);
    let serve = Step {
        command: "latchstring-server serve --dir /var/lib/latchstring".to_owned(),
        printed: Vec::new(),
    };
    machine.serve(&serve);
    let new = fresh.lines().last().unwrap();
    let listening = fs::read_to_string(machine.path("listening")).unwrap();
    assert!(listening.contains(new), "{listening} {new}");
    // Accounts and messages stay, and every client refuses, as the page says.
    machine.succeed(
        "latchstring-server messages alice --dir /var/lib/latchstring | grep -q 'from the page'",
    );
    let pw = machine.path("root/pw");
    fs::write(&pw, PASSWORD).unwrap();
    fs::set_permissions(&pw, Permissions::from_mode(0o600)).unwrap();
    let refused = machine.output("latchstring-client connect --password-file pw alice@example.org");
    assert_eq!(refused.status.code(), Some(3), "{refused:?}");
    fs::remove_file(machine.path("home/alice/.latchstring/known_hosts")).unwrap();
}

/// The two forms of the log show a connection, and a login with a wrong password.
fn read_the_log(page: &mut Page, machine: &mut Machine) {
    let human = page.next("text", "login refused");
    let json = page.next("json", "login refused");
    let filter = page.next("ini", "failregex");
    assert_eq!(filter.text, deployed("fail2ban-filter.conf"));
    let fingerprint = fs::read_to_string(machine.path("listening")).unwrap();
    let fingerprint = fingerprint.trim().rsplit(' ').next().unwrap().to_owned();
    let number = Regex::new(r#"(connection"?[=:])\d+"#).unwrap();
    for (format, shown) in [("human", &human), ("json", &json)] {
        machine.stop();
        machine.serve(&Step {
            command: format!(
                "latchstring-server serve --dir /var/lib/latchstring --log-format {format}"
            ),
            printed: Vec::new(),
        });
        let login = format!(
            "echo wrong-password > wrong; chmod 600 wrong; \
             echo hello | latchstring-client connect --fingerprint {fingerprint} --password-file wrong alice@example.org"
        );
        assert_eq!(machine.output(&login).status.code(), Some(4));
        let log = wait_for(|| {
            let log = fs::read_to_string(machine.path("log")).unwrap();
            log.contains("login refused").then_some(log)
        });
        for line in shown.text.lines() {
            let pattern = machine.pattern(line).to_string();
            let pattern = number.replace(&pattern, r"$1\d+");
            let pattern = Regex::new(&pattern).unwrap();
            assert!(
                log.lines().any(|line| pattern.is_match(line)),
                "{pattern}\n{log}"
            );
        }
        if format == "human" {
            let (_, regex) = filter.text.split_once("failregex = ").unwrap();
            let regex = Regex::new(&regex.trim().replace("<ADDR>", "([0-9a-fA-F.:]+?)")).unwrap();
            let found = log.lines().find_map(|line| regex.captures(line)).unwrap();
            assert_eq!(&found[2], "127.0.0.1");
        }
    }
}

/// The section that the page shows, at the end of the configuration, and one login.
fn read_the_metrics(page: &mut Page, machine: &mut Machine) {
    let section = page.next("toml", "[metrics]");
    let config = machine.path("var/lib/latchstring/server.toml");
    let before = fs::read_to_string(&config).unwrap();
    fs::write(
        &config,
        format!("{before}\n{}", machine.here(&section.text)),
    )
    .unwrap();
    machine.stop();
    machine.serve(&Step {
        command: "latchstring-server serve --dir /var/lib/latchstring".to_owned(),
        printed: Vec::new(),
    });
    let listening = fs::read_to_string(machine.path("listening")).unwrap();
    let fingerprint = listening.trim().rsplit(' ').next().unwrap();
    machine.succeed(&format!(
        "latchstring-client connect --quiet --fingerprint {fingerprint} --password-file pw alice@example.org </dev/null"
    ));
    let page = page.next("console", "curl");
    let step = &page.steps()[0];
    let said = machine.run(step);
    assert_eq!(said.lines().count(), step.printed.len(), "{said}");
    let check = machine.succeed("latchstring-server check --dir /var/lib/latchstring");
    assert!(check.contains("/metrics"), "{check}");
}

/// With the balancer's address in place of the page's. The log names the client for whom it connects.
fn behind_a_balancer(page: &mut Page, machine: &mut Machine) {
    let setting = page.next("toml", "balancers");
    let config = machine.path("var/lib/latchstring/server.toml");
    let before = fs::read_to_string(&config).unwrap();
    let here = setting.text.replace("192.0.2.7", "127.0.0.1");
    let after = before.replace("balancers = []\n", &here);
    assert_ne!(before, after);
    fs::write(&config, after).unwrap();
    let serve = Step {
        command: "latchstring-server serve --dir /var/lib/latchstring".to_owned(),
        printed: Vec::new(),
    };
    machine.stop();
    machine.serve(&serve);
    let mut balancer = TcpStream::connect(("127.0.0.1", machine.port.number())).unwrap();
    let header = b"PROXY TCP4 203.0.113.9 192.0.2.7 5000 22223\r\n";
    balancer.write_all(header).unwrap();
    wait_for(|| {
        let log = fs::read_to_string(machine.path("log")).unwrap();
        log.contains("peer=203.0.113.9:5000").then_some(())
    });
    drop(balancer);
    fs::write(&config, before).unwrap();
    machine.stop();
    machine.serve(&serve);
}

/// A file that comes with the server.
fn deployed(name: &str) -> String {
    fs::read_to_string(workspace().join("crates/server/deploy").join(name)).unwrap()
}

fn as_a_service(page: &mut Page, machine: &Machine) {
    let unit = page.next("ini", "[Unit]");
    assert_eq!(unit.text, deployed("latchstring.service"));
    let start = unit
        .text
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    // The program takes this command line.
    machine.succeed(&format!("{} --help", start.unwrap()));
    if Command::new("systemd-analyze")
        .arg("--version")
        .output()
        .is_ok()
    {
        let path = machine.path("latchstring.service");
        fs::write(
            &path,
            machine
                .here(&unit.text)
                .replace("User=latchstring", "User=root"),
        )
        .unwrap();
        let mut verify = Command::new("systemd-analyze");
        let output = verify
            .args(["verify", "--man=no"])
            .arg(&path)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("latchstring.service"), "{said}");
    }
    let setup = page.next("sh", "useradd");
    fs::remove_dir_all(machine.path("srv/latchstring")).unwrap();
    let setup = setup
        .text
        .replace("/var/lib/latchstring", "/srv/latchstring");
    machine.succeed(&setup);
    assert!(machine.calls("useradd").contains("--system"));
    assert!(
        machine
            .calls("systemctl")
            .contains("enable --now latchstring")
    );
    assert!(Path::new(&machine.path("srv/latchstring/server.toml")).exists());
}

/// The picture of the page is the one of the fingerprint above it.
fn fingerprint_as_a_picture(page: &mut Page, machine: &Machine) {
    let block = page.next("console", "--picture");
    let step = &block.steps()[0];
    let fingerprint = step.printed[0].parse().unwrap();
    assert_eq!(
        step.printed[1..].join("\n"),
        picture(&fingerprint, "host key")
    );
    let said = machine.succeed(&step.command);
    let (fingerprint, drawn) = said.split_once('\n').unwrap();
    let drawn_here = picture(&fingerprint.parse().unwrap(), "host key");
    assert_eq!(drawn.trim_end(), drawn_here);
}

/// The running server takes the pepper, and checks the passwords of all that follows with it.
fn make_a_pepper(page: &mut Page, machine: &Machine) {
    let block = page.next("console", "latchstring-server pepper new");
    machine.run(&block.steps()[0]);
    let toml = machine.path("var/lib/latchstring/server.toml");
    let setting = format!("pepper_file = {:?}", machine.path("etc/latchstring/pepper"));
    let text = fs::read_to_string(&toml).unwrap();
    let text = text.replace("[passwords]", &format!("[passwords]\n{setting}"));
    fs::write(&toml, text).unwrap();
    machine.succeed("latchstring-server reload --dir /var/lib/latchstring");
}

fn move_users(page: &mut Page, machine: &Machine) {
    let block = page.next("console", "latchstring-server user export");
    for step in block.steps() {
        machine.run(&step);
    }
    let list = |dir: &str| machine.succeed(&format!("latchstring-server user list --dir {dir}"));
    assert_eq!(list("/srv/latchstring"), list("/var/lib/latchstring"));
}

fn in_scripts(page: &mut Page, machine: &mut Machine) {
    let block = page.next("sh", "printf 'one\\ntwo\\n'");
    let listening = fs::read_to_string(machine.path("listening")).unwrap();
    let fingerprint = listening.trim().rsplit(' ').next().unwrap();
    let list = "latchstring-server messages alice --dir /var/lib/latchstring";
    let before = machine.succeed(list);
    fs::write(machine.path("root/lines"), "three\nfour\n").unwrap();
    // Three wrong passwords would cost a delay; there were two above.
    machine.succeed(&block.text.replace("SHA256:…", fingerprint));
    let expected = format!("{before}2\tone\n3\ttwo\n4\tthree\n5\tfour\n");
    assert_eq!(machine.succeed(list), expected);
    after_a_cut(page, machine);
}

/// The server takes seven lines and dies before it acknowledges any.
fn after_a_cut(page: &mut Page, machine: &mut Machine) {
    let cut = page.next("console", "<lines");
    let step = &cut.steps()[0];
    let lines = machine.path("root/lines");
    fs::remove_file(&lines).unwrap();
    nix::unistd::mkfifo(&lines, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let logins = || {
        let log = fs::read_to_string(machine.path("log")).unwrap();
        log.matches("logged in").count()
    };
    let before = logins();
    let client = (machine.command(&step.command))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Opened when the client opens it.
    let mut input = fs::OpenOptions::new().write(true).open(&lines).unwrap();
    wait_for(|| (logins() > before).then_some(()));
    let server = machine.server.as_mut().expect("a server");
    let pid = Pid::from_raw(server.id().try_into().unwrap());
    kill(pid, Signal::SIGSTOP).unwrap();
    for n in 1..=7 {
        writeln!(input, "line {n}").unwrap();
    }
    // The outbox has them on the disk a moment later. The pipe stays open: there may be an eighth line.
    sleep(Duration::from_secs(2));
    server.kill().unwrap();
    server.wait().unwrap();
    machine.server = None;
    let output = client.wait_with_output().unwrap();
    drop(input);
    assert_eq!(output.status.code(), Some(5), "{output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let number = Regex::new(r"\d+").unwrap();
    let expected = regex::escape(&words(&step.printed.join(" ")));
    let expected = number.replace_all(&expected, regex::NoExpand(r"\d+"));
    let expected = Regex::new(&expected).unwrap();
    assert!(expected.is_match(&words(&said)), "{expected}\n{said}");
    assert!(said.contains("go on with line 8"), "{said}");
}

fn send_a_file(page: &mut Page, machine: &mut Machine) {
    let block = page.next("console", "latchstring-client send-file");
    machine.serve(&Step {
        command: "latchstring-server serve --dir /var/lib/latchstring".to_owned(),
        printed: Vec::new(),
    });
    fs::write(machine.path("root/hand-in.zip"), "hello, world\n").unwrap();
    let step = &block.steps()[0];
    let said = machine.run(step);
    assert_eq!(said.lines().count(), step.printed.len());
    assert!(machine.path("root/hand-in.zip.receipt.json").exists());
    assert!(!machine.path("root/hand-in.zip.sending").exists());
    machine.run(&again(step));
}

/// While the server runs. It was sent twice, and is one file.
fn collect_files(page: &mut Page, machine: &Machine) {
    let block = page.next("console", "latchstring-server collect");
    let step = &block.steps()[0];
    let said = machine.run(step);
    assert_eq!(said.lines().count(), step.printed.len());
    let sent = fs::read_to_string(machine.path("root/handed-in/alice/hand-in.zip"));
    assert_eq!(sent.unwrap(), "hello, world\n");
    let again = machine.succeed(&step.command);
    assert_eq!(again, "0 new files, 1 as before.\n");
}

/// The sinks of the page, one after the other.
fn deliver_to_sinks(page: &mut Page, machine: &mut Machine) {
    let section = page.next("toml", "[sink]");
    use_sink(machine, &section.text);
    send(machine, "for the sink");
    let tail = page.next("console", "tail");
    let step = &tail.steps()[0];
    let id = Regex::new(r#""id":\d+"#).unwrap();
    let line = machine.succeed(&step.command);
    let any = |text: &str| id.replace(text, r#""id":0"#).into_owned();
    let shown = machine.pattern(&any(&step.printed[0]));
    assert!(shown.is_match(&any(line.trim_end())), "{shown}\n{line}");

    let rotation = page.next("text", "postrotate");
    assert_eq!(rotation.text, deployed("logrotate.conf"));

    let script = page.next("sh", "sha256sum");
    fs::create_dir(machine.path("var/lib/latchstring/inbox")).unwrap();
    machine.program("take-message", &machine.here(&script.text));
    let program = machine.path("bin/take-message");
    let command = format!(
        "[sink]\nkind = \"command\"\ncommand = [\"{}\"]\n",
        program.display()
    );
    use_sink(machine, &command);
    send(machine, "for the command");
    let taken = machine.succeed("cat /var/lib/latchstring/inbox/*.json");
    assert_eq!(taken.lines().count(), 1, "{taken}");
    assert!(taken.contains("for the command"), "{taken}");
}

fn remove_old_messages(page: &mut Page, machine: &mut Machine) {
    let rules = page.next("toml", "[retention]");
    let config = machine.path("var/lib/latchstring/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let (before, rest) = toml.split_once("[retention]").unwrap();
    let (_, after) = rest.split_once("[sink]").unwrap();
    fs::write(&config, format!("{before}{}\n[sink]{after}", rules.text)).unwrap();
    machine.succeed("latchstring-server reload --dir /var/lib/latchstring");
    let pruned = page.next("console", "messages prune");
    let step = &pruned.steps()[0];
    let number = Regex::new(r"\b\d+\b").unwrap();
    let any = |text: &str| number.replace_all(text, "0").into_owned();
    let said = machine.succeed(&step.command);
    // A fingerprint may hold a number between two signs.
    let key = Regex::new("SHA256:[A-Za-z0-9+/]{43}").unwrap();
    for (shown, said) in step.printed.iter().zip(said.lines()) {
        let [shown, said] = [shown, said].map(|line| any(&key.replace(line, "KEY")));
        assert_eq!(shown, said);
    }
    assert_eq!(said.lines().count(), step.printed.len(), "{said}");
    let left = machine.succeed("latchstring-server messages alice --dir /var/lib/latchstring");
    assert!(
        left.ends_with("for the command\n") && left.lines().count() == 1,
        "{left}"
    );
    send(machine, "after it");
}

/// Puts this section into the configuration, and starts the server again.
fn use_sink(machine: &mut Machine, section: &str) {
    machine.stop();
    let config = machine.path("var/lib/latchstring/server.toml");
    let toml = fs::read_to_string(&config).unwrap();
    let (before, _) = toml.split_once("[sink]").expect("a section for the sink");
    fs::write(&config, format!("{before}{section}")).unwrap();
    machine.serve(&Step {
        command: "latchstring-server serve --dir /var/lib/latchstring".to_owned(),
        printed: Vec::new(),
    });
}

/// Sends a line, and waits for its acknowledgement.
fn send(machine: &Machine, text: &str) {
    machine.succeed(&format!(
        "echo {text} | latchstring-client connect --quiet --password-file pw alice@example.org"
    ));
}

/// The same again: the first receipt stays.
fn again(step: &Step) -> Step {
    let second = |line: &String| line.replace("receipt.json", "receipt-2.json");
    Step {
        command: step.command.clone(),
        printed: step.printed.iter().map(second).collect(),
    }
}
