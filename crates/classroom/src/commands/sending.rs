//! `submit --to`: the file goes to the course's own server. The program `latchstring-client` does that, at this terminal: its
//! questions, errors and exit codes are the student's.

use std::{
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitCode, ExitStatus},
};

use anyhow::{Context, ensure};
use clap::Args;
use latchstring_cli::beside;
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;
use tokio::{
    process::{Child, Command},
    select,
    signal::unix::{SignalKind, signal},
};

use super::submitting::{Packed, pack, tell};
use crate::student::Student;

/// The program that sends.
const CLIENT: &str = "latchstring-client";
/// The client's exit code when the server refuses a login or an invitation.
const REFUSED: u8 = 4;
/// An invitation is one short line.
const LONGEST_INVITATION: usize = 4096;
/// What the name of an invitation that was used gets at its end.
const USED: &str = ".used";
/// What a shell adds to the number of the signal that ended a program.
const BY_SIGNAL: i32 = 128;

/// Where a file goes, and how.
#[derive(Debug, Args)]
pub struct Sending {
    /// Send the file to the server of your course; your name there is your id in the course [default port: 22223]
    #[arg(long, value_name = "USER@HOST[:PORT]", conflicts_with = "out", value_parser = address)]
    to: Option<Address>,
    /// Make your account first, with the invitation in this file of your hand-out
    #[arg(long, value_name = "FILE", requires = "to")]
    invitation: Option<PathBuf>,
    /// Read your password from a file that only you can read
    #[arg(long, value_name = "FILE", requires = "to")]
    password_file: Option<PathBuf>,
    /// Expect this fingerprint of the host, from your instructor
    #[arg(long, value_name = "SHA256:…", requires = "to")]
    fingerprint: Option<String>,
}

/// A user at a host. The client knows the grammar; here it is enough that it is no option.
#[derive(Debug, Clone)]
pub(super) struct Address {
    user: String,
    text: String,
}

impl Sending {
    /// The server, if the file is to be sent.
    pub(super) fn to(&self) -> Option<&Address> {
        self.to.as_ref()
    }
}

fn address(text: &str) -> Result<Address, String> {
    match text.split_once('@') {
        Some((user, host)) if !user.is_empty() && !host.is_empty() && !user.starts_with('-') => {
            Ok(Address {
                user: user.to_owned(),
                text: text.to_owned(),
            })
        }
        _ => Err("write USER@HOST, such as anna@course.example".to_owned()),
    }
}

/// Makes the file, and sends it.
pub(super) async fn send(
    out: &mut impl Write,
    student: &Student,
    to: &Address,
    how: &Sending,
) -> anyhow::Result<ExitCode> {
    let client = Client {
        program: beside::program(CLIENT)
            .context("nothing was sent; without --to, this command only makes the file")?,
        to,
        how,
    };
    let packed = pack(student, true)?;
    tell(out, student, &packed)?;
    let owner = &packed.manifest.owner.student;
    if *owner != to.user {
        writeln!(
            out,
            "The hand-out is that of {owner}, and you send it as {}. Your instructor will see that.",
            to.user
        )?;
    }
    out.flush()?;
    let entry = match &how.invitation {
        None => Entry::Known,
        Some(invitation) => client.enter(out, invitation).await?,
    };
    let code = match entry {
        Entry::Failed(code) => code,
        Entry::Known => client.send(out, &packed, None).await?,
        Entry::Refused(ref invitation) => {
            client.send(out, &packed, invitation.fingerprint()).await?
        }
    };
    match (code, entry) {
        (0, Entry::Refused(invitation)) => invitation.is_used(),
        (0, _) => {}
        (REFUSED, Entry::Refused(_)) => writeln!(
            out,
            "The server took neither the invitation nor your password. Ask your instructor for a new invitation."
        )?,
        _ => writeln!(
            out,
            "{} is not handed in yet. Run the same command again.",
            packed.path.display()
        )?,
    }
    out.flush()?;
    Ok(ExitCode::from(code))
}

/// Whether a student may log in.
enum Entry {
    /// There is an account.
    Known,
    /// The server did not take the invitation: it is spent, or was never good.
    Refused(Invitation),
    /// Something else went wrong, and the client ended with this code.
    Failed(u8),
}

/// The program that sends, and for whom.
struct Client<'a> {
    program: PathBuf,
    to: &'a Address,
    how: &'a Sending,
}

impl Client<'_> {
    /// Makes the account, unless this invitation was used before.
    async fn enter(&self, out: &mut impl Write, path: &Path) -> anyhow::Result<Entry> {
        let invitation = Invitation::read(path)?;
        if invitation.was_used() {
            writeln!(out, "You have an account: the invitation was used before.")?;
            out.flush()?;
            return Ok(Entry::Known);
        }
        let private = invitation.private();
        let private = private.context("cannot copy the invitation")?;
        let mut arguments = self.arguments("enrol");
        arguments.extend(["--invite-file".into(), private.path().into()]);
        arguments.extend(["--".into(), (&self.to.text).into()]);
        match self.run(arguments).await? {
            0 => {
                invitation.is_used();
                Ok(Entry::Known)
            }
            REFUSED => {
                writeln!(
                    out,
                    "The server did not take the invitation. Perhaps you have used it already, and have an account. So the file \
                     is sent now."
                )?;
                out.flush()?;
                Ok(Entry::Refused(invitation))
            }
            code => Ok(Entry::Failed(code)),
        }
    }

    /// Sends the file to the host with this fingerprint, unless the student gave one. Gives the client's exit code.
    async fn send(
        &self,
        out: &mut impl Write,
        packed: &Packed,
        fingerprint: Option<&str>,
    ) -> anyhow::Result<u8> {
        let mut arguments = self.arguments("send-file");
        if let Some(fingerprint) = self.how.fingerprint.as_deref().or(fingerprint) {
            arguments.push(format!("--fingerprint={fingerprint}").into());
        }
        let receipt = next_receipt(&packed.path);
        arguments.push("--".into());
        arguments.push((&self.to.text).into());
        arguments.push(packed.path.clone().into());
        let code = self.run(arguments).await?;
        if code == 0
            && let Some(received) = read_receipt(&receipt)
        {
            writeln!(
                out,
                "{} has your work in {} since {}, by the clock of this machine. Your course counts by the clock of the server.",
                received.host, packed.manifest.lab, received.last_part
            )?;
        }
        Ok(code)
    }

    fn arguments(&self, command: &str) -> Vec<OsString> {
        let mut arguments = vec![command.into()];
        if let Some(file) = &self.how.password_file {
            arguments.extend(["--password-file".into(), file.into()]);
        }
        arguments
    }

    /// Runs the client at this terminal. Gives its exit code.
    async fn run(&self, arguments: Vec<OsString>) -> anyhow::Result<u8> {
        let failed = || format!("cannot run {}", self.program.display());
        let mut command = Command::new(&self.program);
        let child = command.args(arguments).spawn().with_context(failed)?;
        let ended = until_it_ends(child).await.with_context(failed)?;
        let code = ended.code();
        let code = code.unwrap_or_else(|| BY_SIGNAL + ended.signal().unwrap_or(0));
        Ok(u8::try_from(code).unwrap_or(1))
    }
}

/// Waits for the client, and passes on what asks this program to end.
async fn until_it_ends(mut client: Child) -> io::Result<ExitStatus> {
    let mut pressed = signal(SignalKind::interrupt())?;
    let mut killed = signal(SignalKind::terminate())?;
    let mut closed = signal(SignalKind::hangup())?;
    let id = client.id().and_then(|id| i32::try_from(id).ok());
    let pass_on = |signal| {
        if let Some(id) = id {
            // It may have ended meanwhile.
            let _ = kill(Pid::from_raw(id), signal);
        }
    };
    loop {
        select! {
            ended = client.wait() => return ended,
            // A terminal sends Ctrl-C to the client as well. The client ends in order, and this program after it.
            _ = pressed.recv() => {}
            _ = killed.recv() => pass_on(Signal::SIGTERM),
            _ = closed.recv() => pass_on(Signal::SIGHUP),
        }
    }
}

/// An invitation, as it lies in the hand-out.
struct Invitation {
    line: Vec<u8>,
    /// The note that it was used: the hash of the invitation, because a new one may get its name.
    note: PathBuf,
}

impl Invitation {
    fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let line = fs::read(path).with_context(|| {
            format!(
                "cannot read {shown}: it lies beside READ-ME-FIRST.md in your hand-out; if you have an account, leave out \
                 --invitation"
            )
        })?;
        ensure!(
            line.len() <= LONGEST_INVITATION,
            "{shown} is not an invitation: an invitation is one line; name the file that your instructor gave you"
        );
        let mut note = path.as_os_str().to_owned();
        note.push(USED);
        Ok(Self {
            line,
            note: note.into(),
        })
    }

    /// The fingerprint of the host's key: `USER:SHA256:FINGERPRINT:TOKEN`.
    fn fingerprint(&self) -> Option<&str> {
        let line = str::from_utf8(&self.line).ok()?;
        let (_, rest) = line.split_once(':')?;
        Some(rest.rsplit_once(':')?.0)
    }

    fn hash(&self) -> String {
        hex::encode(Sha256::digest(&self.line))
    }

    fn was_used(&self) -> bool {
        fs::read_to_string(&self.note).is_ok_and(|text| text.trim() == self.hash())
    }

    /// It spares a question the next time. Where it cannot be noted, the server refuses the invitation, and the sending goes on.
    fn is_used(&self) {
        let _ = fs::write(&self.note, self.hash() + "\n");
    }

    /// A copy that only this user can read, and that is gone afterwards. The invitation comes out of an archive, so others may
    /// read it, and the client takes only a private file.
    fn private(&self) -> io::Result<NamedTempFile> {
        let mut file = NamedTempFile::new()?;
        file.write_all(&self.line)?;
        file.flush()?;
        Ok(file)
    }
}

/// What a receipt says, as far as it is shown.
#[derive(Deserialize)]
struct Receipt {
    host: String,
    last_part: String,
}

/// The place of the receipt that the client will write: the first one that is free.
fn next_receipt(file: &Path) -> PathBuf {
    let place = |number: u32| {
        let mut path = file.as_os_str().to_owned();
        match number {
            1 => path.push(".receipt.json"),
            _ => path.push(format!(".receipt-{number}.json")),
        }
        PathBuf::from(path)
    };
    let mut number = 1;
    while place(number).exists() {
        number += 1;
    }
    place(number)
}

fn read_receipt(path: &Path) -> Option<Receipt> {
    serde_json::from_slice(&fs::read(path).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_user_and_a_host_and_is_no_option() {
        for good in ["anna@host", "anna@host:22223", "anna@[::1]:5"] {
            let read = address(good).unwrap();
            assert_eq!((&*read.user, &*read.text), ("anna", good));
        }
        for bad in ["", "anna", "@host", "anna@", "--quiet@host"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn an_invitation_holds_the_fingerprint_of_the_host() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("invitation");
        for (line, fingerprint) in [("anna:SHA256:abc:token\n", Some("SHA256:abc")), ("", None)] {
            fs::write(&path, line).unwrap();
            let invitation = Invitation::read(&path).unwrap();
            assert_eq!(invitation.fingerprint(), fingerprint);
        }
    }

    #[test]
    fn the_next_receipt_is_the_first_that_is_free() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.zip");
        let mut names = Vec::new();
        for _ in 0..3 {
            let next = next_receipt(&file);
            names.push(next.file_name().unwrap().to_str().unwrap().to_owned());
            fs::write(next, "").unwrap();
        }
        assert_eq!(
            names,
            [
                "a.zip.receipt.json",
                "a.zip.receipt-2.json",
                "a.zip.receipt-3.json"
            ]
        );
    }
}
