//! Opens an RSA envelope (PKCS#1 v1.5) with the help of a server that says whether a padding is right.
//!
//! Usage: cargo run --quiet -- ENVELOPE HOST PORT
//!        cargo run --quiet -- first-s ENVELOPE     step 2: from which number s on it is worth to ask

// Some of it is used by your part only.
#![allow(dead_code)]

mod arithmetic;

use std::{
    collections::BTreeSet,
    env,
    error::Error,
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use arithmetic::{bits, ceil_div, from_decimal, from_hex, power, times_b, to_block, Number, BLOCK};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// All numbers from the first to the second one, and both of them.
type Interval = (Number, Number);

/// A server with the private key, and the envelope (n, e, c) that it could open.
struct Oracle {
    server: TcpStream,
    n: Number,
    e: Number,
    c: Number,
    questions: u32,
}

impl Oracle {
    /// Whether m * s mod n begins with 00 02, where m is the plaintext of c.
    fn conforms(&mut self, s: &Number) -> Result<bool> {
        // Your part. `self.ask(&number)` asks the server, and `power(s, &self.e, &self.n)` is s^e modulo n.
        let _ = (s, power);
        Ok(false)
    }

    /// Whether the server says 1 to this number.
    fn ask(&mut self, number: &Number) -> Result<bool> {
        self.questions += 1;
        self.server.write_all(&to_block(number)?)?;
        let mut answer = [0];
        if self.server.read(&mut answer)? == 0 {
            return Err("the server closed the connection".into());
        }
        Ok(answer == [1])
    }
}

/// Below this number m * s is smaller than n, and tells nothing.
fn first_s(n: &Number) -> Number {
    ceil_div(n.clone(), &times_b(3))
}

/// The parts of the intervals in which m can be, now that m * s mod n begins with 00 02.
fn narrow(intervals: &[Interval], s: &Number, n: &Number) -> Vec<Interval> {
    let mut left: BTreeSet<Interval> = BTreeSet::new();
    for (a, b) in intervals {
        // Your part: which r are possible? `left.insert((low, high))` keeps an interval.
        let _ = (a, b, s, n, &mut left);
    }
    left.into_iter().collect()
}

/// The next s that conforms, when m is known to be between a and b: each one cuts the interval by half or more.
fn next_in_one(oracle: &mut Oracle, a: &Number, b: &Number, s: &Number) -> Result<Number> {
    let n = oracle.n.clone();
    let mut r = ceil_div((b * s - times_b(2)) * 2u32, &n);
    loop {
        let mut s = ceil_div(times_b(2) + &r * &n, b);
        let last = (times_b(3) - 1u32 + &r * &n) / a;
        while s <= last {
            if oracle.conforms(&s)? {
                return Ok(s);
            }
            s += 1u32;
        }
        r += 1u32;
    }
}

/// The next s that conforms, without more knowledge.
fn next_of_all(oracle: &mut Oracle, mut s: Number) -> Result<Number> {
    while !oracle.conforms(&s)? {
        s += 1u32;
    }
    Ok(s)
}

/// The plaintext of the envelope, as a number.
fn open_envelope(oracle: &mut Oracle) -> Result<Number> {
    if !oracle.conforms(&Number::ONE)? {
        return Err("the server says 0 for s = 1, although the envelope is right: look at conforms".into());
    }
    let n = oracle.n.clone();
    let mut s = next_of_all(oracle, first_s(&n))?;
    let mut intervals = narrow(&[(times_b(2), times_b(3) - 1u32)], &s, &n);
    while let Some((a, b)) = intervals.first() {
        s = match intervals.len() {
            1 if a == b => return Ok(a.clone()),
            1 => next_in_one(oracle, a, b, &s)?,
            _ => next_of_all(oracle, s + 1u32)?,
        };
        if oracle.questions.is_multiple_of(100) {
            eprintln!("{} questions, {} bits to go", oracle.questions, bits(&(b - a)));
        }
        intervals = narrow(&intervals, &s, &n);
    }
    Err("no number fits all answers: look at conforms and narrow".into())
}

/// What stands behind the padding: 00 02, random bytes without 00, 00, secret.
fn unpad(block: &[u8; BLOCK]) -> Result<&[u8]> {
    let end = block[2..].iter().position(|byte| *byte == 0);
    let end = end.ok_or("the padding of the block has no end")?;
    Ok(&block[2 + end + 1..])
}

/// n, e and c of an envelope.
fn read_envelope(path: &str) -> Result<(Number, Number, Number)> {
    let text = fs::read_to_string(path)?;
    let value = |name: &str| {
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        line.ok_or(format!("{path} has no line {name} = ..."))
    };
    Ok((
        from_hex(value("n")?)?,
        from_decimal(value("e")?)?,
        from_hex(value("c")?)?,
    ))
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["first-s", path] => {
            let (n, _, _) = read_envelope(path)?;
            println!("{}", first_s(&n));
        }
        [path, host, port] => {
            let (n, e, c) = read_envelope(path)?;
            let server = TcpStream::connect((*host, port.parse()?))?;
            server.set_read_timeout(Some(Duration::from_secs(10)))?;
            server.set_nodelay(true)?;
            let m = open_envelope(&mut Oracle {
                server,
                n,
                e,
                c,
                questions: 0,
            })?;
            println!("{}", String::from_utf8_lossy(unpad(&to_block(&m)?)?));
        }
        _ => return Err("usage: ENVELOPE HOST PORT | first-s ENVELOPE".into()),
    }
    Ok(())
}
