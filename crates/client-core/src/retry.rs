//! Coming again after the server turned a connection away: it is busy, or this address has too many connections.
//!
//! Such a server hangs up before it has said whether a login is good, or it begins and then takes too long. After a
//! refused login, another host key or a broken protocol nothing is tried again.

use std::{io, time::Duration};

use latchstring_net::{entropy::Entropy, wire::WireError};
use tokio::time::{Instant, sleep};

use crate::error::{ClientError, Stage};

/// The first wait; each one after it is twice as long, up to [`LONGEST`].
const FIRST: Duration = Duration::from_secs(1);
/// No wait is longer, but for the half that chance may add.
const LONGEST: Duration = Duration::from_secs(8);
/// However much time is left, a server is not bothered more often.
const ATTEMPTS: u32 = 20;

/// Why a connection came to nothing that another one may come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// The server hung up.
    NoRoom,
    /// The server speaks latch/2, and did not answer in time.
    TooSlow,
    /// The connection or the session broke off in the middle.
    CutOff,
    /// Nobody answers at the address any more, where a session was a moment ago.
    Gone,
}

/// How long to come again.
pub struct Retry<'a> {
    total: Duration,
    began: Instant,
    attempts: u32,
    also_at_the_verdict: bool,
    also_when_gone: bool,
    entropy: &'a dyn Entropy,
}

impl<'a> Retry<'a> {
    /// Comes again for so long, counted from now.
    pub fn new(total: Duration, entropy: &'a dyn Entropy) -> Self {
        Self {
            total,
            began: Instant::now(),
            attempts: 0,
            also_at_the_verdict: true,
            also_when_gone: false,
            entropy,
        }
    }

    /// For the time after a session has broken off; comes again for so long, counted from now. A server that is being
    /// restarted cannot be reached for a while, so that is a reason to come again too.
    pub fn after_a_cut(&self, total: Duration) -> Self {
        Self {
            also_when_gone: true,
            ..Self::new(total, self.entropy)
        }
    }

    /// Waits after a session that has broken off, as after an attempt that came to nothing. `false` when time is up.
    pub async fn pause(&mut self, mut waiting: impl FnMut(Why, Duration, u32)) -> bool {
        self.attempts += 1;
        let Some(wait) = self.next_wait() else {
            return false;
        };
        waiting(Why::CutOff, wait, self.attempts + 1);
        sleep(wait).await;
        true
    }

    /// Does not come again once an enrolment was sent: if only the answer was lost, the account is there and the
    /// invitation used up.
    pub fn for_an_enrolment(mut self) -> Self {
        self.also_at_the_verdict = false;
        self
    }

    /// Makes connections with `connect` until one is not turned away or the time is up. `waiting` is called before each
    /// wait, with the reason, its length and the number of the next attempt.
    ///
    /// # Errors
    /// The first error of `connect` other than being turned away; [`ClientError::TurnedAway`] when time is up. After a
    /// cut also [`ClientError::Unreachable`] when time is up.
    pub async fn connect<T>(
        &mut self,
        mut connect: impl AsyncFnMut() -> Result<T, ClientError>,
        mut waiting: impl FnMut(Why, Duration, u32),
    ) -> Result<T, ClientError> {
        loop {
            let result = connect().await;
            let reason = result.as_ref().err().and_then(|error| self.reason(error));
            let Some((why, stage)) = reason else {
                return result;
            };
            self.attempts += 1;
            let Some(wait) = self.next_wait() else {
                return match stage {
                    None => result,
                    Some(stage) => Err(ClientError::TurnedAway {
                        stage,
                        attempts: self.attempts,
                        seconds: self.began.elapsed().as_secs(),
                    }),
                };
            };
            waiting(why, wait, self.attempts + 1);
            sleep(wait).await;
        }
    }

    /// Why it is worth coming again after this error, and the stage at which the server turned the connection away.
    fn reason(&self, error: &ClientError) -> Option<(Why, Option<Stage>)> {
        if self.also_when_gone && matches!(error, ClientError::Unreachable { .. }) {
            return Some((Why::Gone, None));
        }
        let (why, stage) = turned_away(error)?;
        let may = self.also_at_the_verdict || stage != Stage::Verdict;
        may.then_some((why, Some(stage)))
    }

    /// Half to one and a half times what it would be, by chance: a class that was turned away together must not come
    /// again together. The last attempt is at the very end.
    fn next_wait(&self) -> Option<Duration> {
        let left = self.total.saturating_sub(self.began.elapsed());
        if left.is_zero() || self.attempts >= ATTEMPTS {
            return None;
        }
        let doubled = FIRST.saturating_mul(1 << (self.attempts - 1).min(16));
        let mut chance = [0; 2];
        self.entropy.fill(&mut chance);
        let chance = f64::from(u16::from_be_bytes(chance)) / f64::from(u16::MAX);
        Some(doubled.min(LONGEST).mul_f64(0.5 + chance).min(left))
    }
}

/// Where the server gave up, or took too long, before it said whether the login is good.
fn turned_away(error: &ClientError) -> Option<(Why, Stage)> {
    let ClientError::Wire { stage, source } = error else {
        return None;
    };
    let why = match source {
        WireError::Closed => Why::NoRoom,
        // A connection that is closed with something unread in it ends like this.
        WireError::Io(error) => match error.kind() {
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe => Why::NoRoom,
            _ => return None,
        },
        // The network, or a server that was killed in the middle of its answer.
        WireError::Truncated { .. } if *stage != Stage::Hello => Why::CutOff,
        // What never says a hello may be anything, and is not waited for again.
        WireError::Deadline { .. } if *stage != Stage::Hello => Why::TooSlow,
        _ => return None,
    };
    Some((why, *stage)).filter(|_| *stage != Stage::Session)
}

#[cfg(test)]
mod tests {
    use latchstring_net::protocol::hardened::message::Fingerprint;

    use super::*;

    /// The same chance each time.
    struct Always(u8);

    impl Entropy for Always {
        fn fill(&self, out: &mut [u8]) {
            out.fill(self.0);
        }
    }

    fn closed(stage: Stage) -> ClientError {
        let source = WireError::Closed;
        ClientError::Wire { stage, source }
    }

    /// Turned away `times`, then let in; when each attempt was made, in milliseconds.
    async fn attempts(times: u32, total: u64, chance: u8) -> (Vec<u128>, Result<(), ClientError>) {
        let began = Instant::now();
        let mut made = Vec::new();
        let mut left = times;
        let chance = Always(chance);
        let mut retry = Retry::new(Duration::from_secs(total), &chance);
        let connect = async || {
            made.push(began.elapsed().as_millis());
            let away = left > 0;
            left = left.saturating_sub(1);
            if away {
                Err(closed(Stage::Hello))
            } else {
                Ok(())
            }
        };
        let result = retry.connect(connect, |_, _, _| {}).await;
        (made, result)
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_by_chance_and_end_in_time() {
        let (made, result) = attempts(3, 60, 0).await;
        assert!(result.is_ok());
        assert_eq!(made, [0, 500, 1500, 3500]);
        let (made, result) = attempts(3, 60, 0xff).await;
        assert!(result.is_ok());
        assert_eq!(made, [0, 1500, 4500, 10_500]);
        for chance in [0, 0x80, 0xff] {
            let (made, result) = attempts(u32::MAX, 60, chance).await;
            let error = result.unwrap_err();
            assert!(
                matches!(error, ClientError::TurnedAway { attempts, seconds: 60, .. } if attempts as usize == made.len()),
                "{error}"
            );
            assert_eq!(made.last(), Some(&60_000), "one at the very end");
            assert!((8..=ATTEMPTS as usize).contains(&made.len()), "{made:?}");
            assert_eq!(error.exit_code(), 6);
        }
        let (made, result) = attempts(u32::MAX, 0, 0).await;
        assert_eq!((made, result.unwrap_err().exit_code()), (vec![0], 6));
        let (made, _) = attempts(u32::MAX, 100_000, 0).await;
        assert_eq!(made.len(), ATTEMPTS as usize, "however much time there is");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_no_turning_away_is_tried_once() {
        let (expected, presented) = (Fingerprint([1; 32]), Fingerprint([2; 32]));
        let refused = io::ErrorKind::ConnectionRefused;
        for error in [
            ClientError::Refused,
            ClientError::HostKeyMismatch {
                expected,
                presented,
            },
            closed(Stage::Session),
            ClientError::Wire {
                stage: Stage::Hello,
                source: WireError::BadLength(7),
            },
            ClientError::Wire {
                stage: Stage::Hello,
                source: WireError::Deadline { have: 0, need: 66 },
            },
            ClientError::Wire {
                stage: Stage::Session,
                source: WireError::Deadline { have: 7, need: 64 },
            },
            ClientError::Unreachable {
                address: "h:1".into(),
                source: refused.into(),
            },
        ] {
            let mut once = Some(error);
            let mut retry = Retry::new(Duration::from_secs(60), &Always(0));
            let result: Result<(), _> = retry
                .connect(
                    async || Err(once.take().expect("one attempt")),
                    |_, _, _| {},
                )
                .await;
            assert_ne!(result.unwrap_err().exit_code(), 6);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_began_and_is_too_slow_is_tried_again() {
        for stage in [Stage::HostProof, Stage::Verdict] {
            let mut retry = Retry::new(Duration::from_secs(60), &Always(0));
            let (mut attempts, mut told) = (0, Vec::new());
            let connect = async || {
                attempts += 1;
                let source = WireError::Deadline { have: 0, need: 100 };
                match attempts {
                    1 => Err(ClientError::Wire { stage, source }),
                    _ => Ok(()),
                }
            };
            let result = retry.connect(connect, |why, _, attempt| told.push((why, attempt)));
            assert!(result.await.is_ok());
            assert_eq!(told, [(Why::TooSlow, 2)]);
        }
    }

    #[test]
    fn half_an_answer_is_tried_again_unless_it_is_the_first_one() {
        for (stage, expected) in [
            (Stage::Hello, None),
            (Stage::HostProof, Some((Why::CutOff, Stage::HostProof))),
            (Stage::Verdict, Some((Why::CutOff, Stage::Verdict))),
            (Stage::Session, None),
        ] {
            let source = WireError::Truncated { have: 7, need: 64 };
            assert_eq!(turned_away(&ClientError::Wire { stage, source }), expected);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_is_gone_is_waited_for_after_a_cut_alone() {
        let gone = || ClientError::Unreachable {
            address: "h:1".into(),
            source: io::ErrorKind::ConnectionRefused.into(),
        };
        for after_a_cut in [false, true] {
            let retry = Retry::new(Duration::from_secs(60), &Always(0));
            let mut retry = match after_a_cut {
                true => retry.after_a_cut(Duration::from_secs(10)),
                false => retry,
            };
            let (mut attempts, mut told) = (0, Vec::new());
            let connect = async || {
                attempts += 1;
                Err::<(), _>(gone())
            };
            let result = retry.connect(connect, |why, _, _| told.push(why));
            assert_eq!(result.await.unwrap_err().exit_code(), 7);
            assert_eq!(attempts > 1, after_a_cut, "{attempts}");
            assert!(told.iter().all(|why| *why == Why::Gone));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn pauses_after_cuts_grow_and_end_when_time_is_up() {
        let retry = Retry::new(Duration::ZERO, &Always(0));
        let mut retry = retry.after_a_cut(Duration::from_secs(4));
        let (began, mut pauses) = (Instant::now(), Vec::new());
        while retry
            .pause(|why, wait, _| {
                assert_eq!(why, Why::CutOff);
                pauses.push(wait.as_millis());
            })
            .await
        {}
        assert_eq!(pauses, [500, 1000, 2000, 500]);
        assert_eq!(began.elapsed(), Duration::from_secs(4));
        let mut never = retry.after_a_cut(Duration::ZERO);
        assert!(!never.pause(|_, _, _| panic!("no pause")).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_enrolment_that_was_sent_is_not_sent_again_and_a_login_is() {
        for (enrolment, at, expected) in [
            (true, Stage::Verdict, 1),
            (true, Stage::HostProof, 2),
            (false, Stage::Verdict, 2),
        ] {
            let retry = Retry::new(Duration::from_millis(100), &Always(0));
            let mut retry = match enrolment {
                true => retry.for_an_enrolment(),
                false => retry,
            };
            let mut attempts = 0;
            let connect = async || {
                attempts += 1;
                Err::<(), _>(closed(at))
            };
            assert!(retry.connect(connect, |_, _, _| {}).await.is_err());
            assert_eq!(attempts, expected, "{at:?}");
        }
    }
}
