//! Programs that attack the grader: each is stopped, reaches nothing, and leaves nothing behind. Where it is safe to run,
//! the same program without its limit does what it wants, so that each test can fail.

use std::{
    fs,
    future::pending,
    net::TcpListener,
    os::unix::net::UnixDatagram,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use latchstring_confine::{
    job::Job,
    note::Excess,
    run::{End, KEPT, Launcher, Ran, run},
    scratch::Scratch,
};
use latchstring_net::port::ReservedPort;
use latchstring_tests::binary;

const LONG: Duration = Duration::from_secs(20);

fn launcher() -> Launcher {
    Launcher::at(&binary("latchstring"), &["lab", "run-program"])
}

/// A program in Python, in a folder that goes with it.
struct Try {
    scratch: Scratch,
    job: Job,
}

impl Try {
    fn python(program: &str) -> Self {
        let scratch = Scratch::empty().unwrap();
        fs::write(scratch.work().join("program.py"), program).unwrap();
        let command = ["python3", "program.py"].map(str::to_owned);
        let mut job = Job::new(command.into(), scratch.work());
        job.writable = vec![scratch.top().to_owned()];
        Self { scratch, job }
    }

    fn given(mut self, argument: impl ToString) -> Self {
        self.job.command.push(argument.to_string());
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Job)) -> Self {
        change(&mut self.job);
        self
    }

    async fn run(&self) -> Ran {
        self.within(LONG).await
    }

    async fn within(&self, time: Duration) -> Ran {
        let temporary = self.scratch.temporary();
        run(&launcher(), &self.job, &temporary, time, pending()).await
    }
}

/// Whether a process runs that has this word in its command line.
fn runs(word: &str) -> bool {
    let found = Command::new("pgrep").args(["-f", word]).output().unwrap();
    found.status.success()
}

/// A word that no other process has in its command line.
fn word() -> String {
    let unique = tempfile::NamedTempFile::new().unwrap();
    format!("latch{}", unique.path().display()).replace(['/', '.'], "-")
}

fn why(ran: &Ran) -> &str {
    ran.stderr.lines().last().unwrap_or_default()
}

#[tokio::test]
async fn an_ordinary_program_notices_nothing() {
    let program = "import os, socket, sys, tempfile, threading, subprocess, hashlib, random\n\
        open('mine', 'w').write('x')\n\
        tempfile.TemporaryFile().write(b'x')\n\
        worker = threading.Thread(target=lambda: None); worker.start(); worker.join()\n\
        print(subprocess.run(['echo', 'child'], capture_output=True, text=True).stdout, end='')\n\
        connection = socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n\
        print(len(os.urandom(4)), sorted(os.listdir('.')), sys.stdin.read())\n\
        sys.exit(3)\n";
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let ran = Try::python(program)
        .given(port)
        .with(|job| job.ports.push(port))
        .run()
        .await;
    assert_eq!(ran.end, End::Status(3), "{}", ran.stderr);
    assert_eq!(ran.stdout, "child\n4 ['mine', 'program.py'] \n");
    let in_force = ran.in_force.unwrap();
    // Where the tests run, all of it is there. Elsewhere `missing` says what is not.
    assert_eq!(in_force.missing(), [""; 0], "{in_force:?}");
}

#[tokio::test]
async fn each_way_to_end_is_told() {
    for (program, end) in [
        ("", End::Well),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
            End::Signal(11),
        ),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
            End::Signal(15),
        ),
    ] {
        assert_eq!(Try::python(program).run().await.end, end, "{program}");
    }
    let command = |words: &[&str]| {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Try::python("").with(|job| job.command = words)
    };
    assert_eq!(command(&["no-such-program"]).run().await.end, End::Missing);
    assert_eq!(
        command(&["./program.py"]).run().await.end,
        End::NotExecutable
    );
    assert!(matches!(command(&[]).run().await.end, End::NotStarted(_)));
    let time = Duration::from_secs(3);
    let ran = Try::python("print('began')\nwhile True: pass")
        .within(time)
        .await;
    assert_eq!(
        (ran.end, ran.stdout.as_str()),
        (End::OutOfTime(time), "began\n")
    );
}

#[tokio::test]
async fn endless_output_is_cut_and_ends_with_the_time() {
    let time = Duration::from_secs(1);
    let began = Instant::now();
    let ran = Try::python("while True: print('x' * 1000)")
        .within(time)
        .await;
    assert_eq!(
        (ran.end, ran.stdout.len(), ran.flooded),
        (End::OutOfTime(time), KEPT, true)
    );
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[tokio::test]
async fn a_fork_bomb_is_stopped_with_all_its_processes() {
    // It stops by itself, in case that nothing else stops it.
    let bomb = "import os, time\nuntil = time.time() + 5\n\
        while time.time() < until:\n    try: os.fork()\n    except OSError: pass\n";
    let word = word();
    let began = Instant::now();
    let ran = Try::python(bomb)
        .given(&word)
        .with(|job| job.limits.processes = 24)
        .run()
        .await;
    // As root the kernel counts nothing, and the keeper does. On a busy machine the bomb may have taken all memory by then.
    let stopped = End::TooMuch(Excess::Processes) == ran.end
        || End::TooMuch(Excess::Memory) == ran.end
        || End::Well == ran.end;
    assert!(
        stopped && began.elapsed() < Duration::from_secs(10),
        "{ran:?}"
    );
    assert!(!runs(&word));
}

#[tokio::test]
async fn a_program_that_takes_all_memory_is_stopped() {
    let hog = "import time\nheap = []\nfor _ in range(60):\n    heap.append(b'x' * (1 << 22))\n    time.sleep(0.02)\nprint('had it')\n";
    let few = |job: &mut Job| job.limits.memory = 64 << 20;
    let ran = Try::python(hog).with(few).run().await;
    assert_eq!(
        (ran.end, ran.stdout.as_str()),
        (End::TooMuch(Excess::Memory), "")
    );
    // Children count, too.
    let shared = format!(
        "import os\nfor _ in range(3): os.fork()\n{}",
        hog.replace("60", "12")
    );
    let ran = Try::python(&shared).with(few).run().await;
    assert_eq!(ran.end, End::TooMuch(Excess::Memory));
    // What is more than the address space is refused at once.
    let ran = Try::python("b'x' * (1 << 40)").run().await;
    assert!(why(&ran).contains("MemoryError"), "{ran:?}");
    // The twin: within the usual limits, the same program has it all.
    assert_eq!(Try::python(hog).run().await.stdout, "had it\n");
}

#[tokio::test]
async fn files_without_end_are_stopped() {
    let one = "f = open('f', 'wb')\nwhile True: f.write(b'x' * (1 << 20))\n";
    let ran = Try::python(one)
        .with(|job| job.limits.file = 1 << 20)
        .run()
        .await;
    // Python ignores SIGXFSZ and gets an error.
    assert!(why(&ran).contains("File too large"), "{ran:?}");
    let many = "import time\nfor n in range(1000):\n    open(f'{n}', 'wb').write(b'x' * (1 << 20))\n    time.sleep(0.01)\n";
    let ran = Try::python(many)
        .with(|job| job.limits.files = 8 << 20)
        .run()
        .await;
    assert_eq!(ran.end, End::TooMuch(Excess::Files));
    // Through a deleted file's descriptor nothing is measured, and the length of one file bounds it.
}

#[tokio::test]
async fn a_process_that_hides_does_not_outlive_the_run() {
    let hide = "import os, sys\n\
        if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        \
        os.close(1); os.close(2)\n        os.execve('/bin/sleep', ['sleep', '30.' + sys.argv[1]], {})\n    os._exit(0)\n\
        os.wait()\nimport time; time.sleep(0.5)\n";
    let token = std::process::id().to_string();
    let hidden = format!("30.{token}");
    let started = Instant::now();
    assert_eq!(Try::python(hide).given(&token).run().await.end, End::Well);
    assert!(!runs(&hidden), "it outlived the program");
    let time = Duration::from_millis(700);
    let endless = format!("{hide}\nwhile True: pass\n");
    let ran = Try::python(&endless).given(&token).within(time).await;
    assert_eq!(ran.end, End::OutOfTime(time));
    assert!(!runs(&hidden), "it outlived the program that was stopped");
    // The twin: without a process namespace nobody finds it when the keeper is killed.
    Try::python(&endless)
        .given(&token)
        .with(|job| job.own_processes = false)
        .within(time)
        .await;
    assert!(runs(&hidden));
    let _ = Command::new("pkill").args(["-f", &hidden]).status();
    assert!(started.elapsed() < Duration::from_secs(20));
}

/// A program that reads, writes and lists a path, and says how often it could.
const PRY: &str = "import os, sys\npath, done = sys.argv[1], []\n\
    for name, act in [('read', lambda: open(path).read()), ('append', lambda: open(path, 'a').write('x')),\n\
    \x20                ('list', lambda: os.listdir(os.path.dirname(path))), ('remove', lambda: os.remove(path)),\n\
    \x20                ('make', lambda: open(path + '.new', 'w').write('x'))]:\n\
    \x20   try: act(); done.append(name)\n\
    \x20   except OSError: pass\n\
    print(done)\n";

#[tokio::test]
async fn the_grader_s_files_cannot_be_read_written_listed_or_removed() {
    let grader = tempfile::tempdir().unwrap();
    let secret = grader.path().join("private-key");
    let path = secret.display();
    for own_processes in [true, false] {
        fs::write(&secret, "secret").unwrap();
        let fenced = Try::python(PRY)
            .given(&path)
            .with(|job| job.own_processes = own_processes);
        assert_eq!(fenced.run().await.stdout, "[]\n");
        assert_eq!(fs::read_to_string(&secret).unwrap(), "secret");
    }
    // What is handed to it can be read, and nothing else.
    let readable = |job: &mut Job| job.readable.push(grader.path().to_owned());
    let ran = Try::python(PRY).given(&path).with(readable).run().await;
    assert_eq!(ran.stdout, "['read', 'list']\n");
    // Neither through a link in its own folder, nor through the folders of the grader's process.
    let link = Try::python(PRY).given("./link");
    std::os::unix::fs::symlink(&secret, link.scratch.work().join("link")).unwrap();
    assert_eq!(link.run().await.stdout, "['list', 'remove', 'make']\n");
    for file in ["environ", "mem", "maps"] {
        let proc = format!("/proc/{}/{file}", std::process::id());
        assert_eq!(
            Try::python(PRY).given(&proc).run().await.stdout,
            "['list']\n",
            "{file}"
        );
    }
    // The twin.
    let ran = Try::python(PRY)
        .given(&path)
        .with(|job| job.fenced = false)
        .run()
        .await;
    assert_eq!(ran.stdout, "['read', 'append', 'list', 'remove', 'make']\n");
}

#[tokio::test]
async fn signals_reach_neither_the_grader_nor_the_keeper() {
    // Everything but the program's own group: all that it may signal, and the keeper by its number.
    let kill = "import os, signal, sys\nreached = []\n\
        for pid in [int(p) for p in os.listdir('/proc') if p.isdigit()]:\n\
        \x20   if pid in (1, os.getpid()): continue\n\
        \x20   try: os.kill(pid, 0); reached.append(pid)\n\
        \x20   except OSError: pass\n\
        for pid in (os.getppid(), 1):\n\
        \x20   try: os.kill(pid, signal.SIGKILL)\n\
        \x20   except OSError: pass\n\
        import time; time.sleep(0.3)\n\
        print('alive', len(reached))\n";
    // A number of the namespace may be that of a process outside, so that only the fence is tried.
    let ran = Try::python(kill).run().await;
    assert_eq!(ran.end, End::Well, "{ran:?}");
    assert!(ran.stdout.starts_with("alive"), "{ran:?}");

    let mut victim = Command::new("sleep").arg("30").spawn().unwrap();
    let shoot = format!("import os; os.kill({}, 9)", victim.id());
    for (fenced, own_processes) in [(true, true), (true, false), (false, true)] {
        let limits = |job: &mut Job| (job.fenced, job.own_processes) = (fenced, own_processes);
        Try::python(&shoot).with(limits).run().await;
        assert!(
            victim.try_wait().unwrap().is_none(),
            "{fenced} {own_processes}"
        );
    }
    // The twin.
    let limits = |job: &mut Job| (job.fenced, job.own_processes) = (false, false);
    Try::python(&shoot).with(limits).run().await;
    assert!(victim.wait().unwrap().code().is_none());
}

#[tokio::test]
async fn a_program_that_kills_all_processes_finds_none() {
    // Without the namespace this would kill everything that the person who runs the test may kill, so it has no twin.
    let ran = Try::python("import os; os.kill(-1, 9)").run().await;
    assert!(why(&ran).starts_with("ProcessLookupError"), "{ran:?}");
}

#[tokio::test]
async fn only_the_target_s_port_can_be_reached() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = other.local_addr().unwrap().port();
    let connect =
        format!("import socket; socket.create_connection(('127.0.0.1', {port})); print('in')");
    assert_eq!(
        why(&Try::python(&connect).run().await),
        "PermissionError: [Errno 13] Permission denied"
    );
    let listen = "import socket; s = socket.socket(); s.bind(('127.0.0.1', 0)); print('in')";
    assert!(why(&Try::python(listen).run().await).contains("PermissionError"));
    // The twins.
    let handed = Try::python(&connect).with(|job| job.ports.push(port));
    assert_eq!(handed.run().await.stdout, "in\n");
    assert_eq!(
        Try::python(&connect)
            .with(|job| job.fenced = false)
            .run()
            .await
            .stdout,
        "in\n"
    );
}

#[tokio::test]
async fn a_server_listens_on_its_own_port_and_on_no_other() {
    let reserved = [ReservedPort::take().unwrap(), ReservedPort::take().unwrap()];
    let [own, other] = reserved.each_ref().map(ReservedPort::number);
    let listen = |port| {
        let text = format!(
            "import socket; socket.create_server(('127.0.0.1', {port})); print('listening')"
        );
        Try::python(&text).with(|job| job.listens.push(own))
    };
    assert_eq!(listen(own).run().await.stdout, "listening\n");
    assert!(why(&listen(other).run().await).contains("Permission denied"));
}

#[tokio::test]
async fn its_input_is_the_file_that_it_is_given_and_nothing_else() {
    let echo = || Try::python("import sys; print(sys.stdin.read())");
    assert_eq!(echo().run().await.stdout, "\n");
    let input = tempfile::NamedTempFile::new().unwrap();
    fs::write(input.path(), "two\nlines").unwrap();
    let given = echo().with(|job| job.input = Some(input.path().to_owned()));
    assert_eq!(given.run().await.stdout, "two\nlines\n");
}

#[tokio::test]
async fn abstract_sockets_of_others_cannot_be_reached() {
    use std::os::{linux::net::SocketAddrExt, unix::net::SocketAddr};
    let name = word();
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let _socket = UnixDatagram::bind_addr(&address).unwrap();
    let connect = format!(
        "import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect('\\0{name}'); print('in')"
    );
    assert!(why(&Try::python(&connect).run().await).contains("Operation not permitted"));
    let twin = Try::python(&connect).with(|job| job.fenced = false);
    assert_eq!(twin.run().await.stdout, "in\n");
}

#[tokio::test]
async fn the_grader_s_environment_and_socket_stay_with_the_grader() {
    let look = "import os\nprint(sorted(os.environ))\nprint(os.readlink('/proc/self/fd/0'))\n\
        print([fd for fd in os.listdir('/proc/self/fd') if int(fd) > 2 and os.path.exists(f'/proc/self/fd/{fd}')])\n";
    let ran = Try::python(look).run().await;
    let mut lines = ran.stdout.lines();
    let names = lines.next().unwrap();
    assert!(
        names.contains("'PATH'") && !names.contains("CARGO_MANIFEST_DIR"),
        "{names}"
    );
    assert_eq!(lines.next(), Some("/dev/null"));
    assert_eq!(lines.next(), Some("[]"));
    // Nor can it open the socket through the process that has it.
    let pry = "import os\nfor p in [p for p in os.listdir('/proc') if p.isdigit()]:\n\
        \x20   try: found = [os.readlink(f'/proc/{p}/fd/{fd}') for fd in os.listdir(f'/proc/{p}/fd')]\n\
        \x20   except OSError: continue\n\
        \x20   if any('socket' in name for name in found): print(p, found)\n";
    let ran = Try::python(pry).run().await;
    assert_eq!((ran.stdout.as_str(), ran.end), ("", End::Well));
}

#[test]
fn the_command_is_not_for_people() {
    let output = Command::new(binary("latchstring"))
        .args(["lab", "run-program", "{}"])
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        !output.status.success() && said.contains("the job is not one"),
        "{said}"
    );
    assert!(Path::new(&binary("latchstring")).exists());
}
