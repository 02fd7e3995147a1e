//! Code in common: fingerprints of k tokens, chosen by winnowing (Schleimer, Wilkerson, Aiken: *Winnowing: Local Algorithms for
//! Document Fingerprinting*, SIGMOD 2003), as MOSS does it.
//!
//! Names, numbers, texts, spaces and comments do not count. Each common run of [`K`] + [`WINDOW`] - 1 tokens or more has a
//! fingerprint in both files. The lab's own files, and what most of the class has, are taken out first.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use latchstring_classroom::catalogue::Lab;
use latchstring_course::roster::Id;

/// Tokens in a fingerprint.
const K: usize = 14;
/// Of so many fingerprints in a row, one is kept.
const WINDOW: usize = 6;
/// Fewer common fingerprints are chance.
const FEWEST: usize = 8;
/// From so many percent of the shorter file on, two files are alike.
const ALIKE: usize = 50;
/// What more students of a hundred have is common.
const MOST: usize = 40;
/// Fewer students than these are no crowd.
const CROWD: usize = 5;
/// The largest file that is compared, in bytes.
const LARGEST: usize = 200_000;
/// The endings of files with code.
const ENDINGS: [&str; 12] = [
    ".py", ".rs", ".c", ".h", ".cpp", ".go", ".js", ".ts", ".java", ".rb", ".sh", ".pl",
];
/// Words that are no names.
const WORDS: [&str; 32] = [
    "and", "as", "assert", "break", "class", "const", "continue", "def", "else", "except", "fn",
    "for", "from", "func", "function", "if", "impl", "import", "in", "let", "match", "mut", "not",
    "or", "pub", "return", "struct", "try", "use", "while", "with", "yield",
];

/// The fingerprints of a file, each with the line where it begins.
pub(super) struct Prints(Vec<(u64, usize)>);

/// Fingerprints that show nothing.
pub(super) struct Common(HashSet<u64>);

/// The fingerprints of a file with code; `None` for another file.
pub(super) fn prints(path: &str, bytes: &[u8]) -> Option<Prints> {
    let text = std::str::from_utf8(bytes).ok();
    let text = text.filter(|text| is_code(path) && text.len() <= LARGEST)?;
    Some(Prints::of(text))
}

/// Whether a file of this name holds code.
pub(super) fn is_code(path: &str) -> bool {
    ENDINGS.iter().any(|ending| path.ends_with(ending))
}

impl Common {
    /// All code of the lab: what students begin with, and the solution, which they may see after the last hint.
    pub(super) fn of_lab(lab: &Lab) -> Self {
        let files = lab.files.iter();
        let files = files.filter_map(|(path, bytes)| prints(&path.to_string_lossy(), bytes));
        Self(
            files
                .flat_map(|prints| prints.0)
                .map(|(print, _)| print)
                .collect(),
        )
    }

    /// Adds what most of so many students have.
    pub(super) fn add_what_most_have<'a>(
        &mut self,
        students: usize,
        files: impl Iterator<Item = (&'a Id, &'a Prints)>,
    ) {
        if students < CROWD {
            return;
        }
        let mut owners: BTreeMap<u64, BTreeSet<&Id>> = BTreeMap::new();
        for (id, prints) in files {
            for (print, _) in &prints.0 {
                owners.entry(*print).or_default().insert(id);
            }
        }
        let common = owners.into_iter();
        let common = common.filter(|(_, ids)| ids.len() * 100 > students * MOST);
        self.0.extend(common.map(|(print, _)| print));
    }
}

impl Prints {
    fn of(text: &str) -> Self {
        let tokens = tokens(text);
        let hashes: Vec<(u64, usize)> = tokens
            .windows(K)
            .map(|run| {
                let mut hasher = DefaultHasher::new();
                run.iter().for_each(|(token, _)| token.hash(&mut hasher));
                (hasher.finish(), run[0].1)
            })
            .collect();
        let mut chosen: Vec<(u64, usize)> = Vec::new();
        let mut last = None;
        for (at, window) in hashes.windows(WINDOW.min(hashes.len().max(1))).enumerate() {
            let least = window.iter().enumerate().min_by_key(|(nth, (hash, _))| {
                // Of equal ones the last, so that fewer are chosen.
                (*hash, std::cmp::Reverse(*nth))
            });
            if let Some((nth, print)) = least
                && last != Some(at + nth)
            {
                last = Some(at + nth);
                chosen.push(*print);
            }
        }
        Self(chosen)
    }

    /// Takes out what shows nothing.
    pub(super) fn take_out(&mut self, common: &Common) {
        self.0.retain(|(print, _)| !common.0.contains(print));
    }

    /// How much of the shorter file is in the other, in percent, and the lines of the longest common run; `None` if it is
    /// little.
    pub(super) fn alike(&self, other: &Self) -> Option<(usize, [[usize; 2]; 2])> {
        let there: HashMap<u64, usize> = (other.0.iter().enumerate())
            .map(|(at, (print, _))| (*print, at))
            .collect();
        let distinct = |prints: &Self| {
            prints
                .0
                .iter()
                .map(|(print, _)| *print)
                .collect::<HashSet<_>>()
        };
        let (mine, others) = (distinct(self), distinct(other));
        let shared = mine.intersection(&others).count();
        let shorter = mine.len().min(others.len()).max(1);
        let percent = shared * 100 / shorter;
        if shared < FEWEST || percent < ALIKE {
            return None;
        }
        let (mut best, mut run): ((usize, usize, usize), (usize, usize, usize)) =
            Default::default();
        for (at, (print, _)) in self.0.iter().enumerate() {
            run = match there.get(print) {
                Some(there) if run.0 > 0 && *there == run.2 + run.0 => (run.0 + 1, run.1, run.2),
                Some(there) => (1, at, *there),
                None => (0, 0, 0),
            };
            best = best.max(run);
        }
        let (length, at, there) = best;
        let lines = |prints: &Self, at: usize| [prints.0[at].1, prints.0[at + length - 1].1];
        Some((percent, [lines(self, at), lines(other, there)]))
    }
}

/// The tokens of a program, each with its line. A name is `v`, a number `n`, a text `s`. A word of the language and any other
/// character stay as they are.
fn tokens(text: &str) -> Vec<(String, usize)> {
    let mut tokens = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let mut rest = text;
        while let Some(first) = rest.chars().next() {
            let ends = |part: &dyn Fn(char) -> bool| rest.find(|c| !part(c)).unwrap_or(rest.len());
            let is_word = |c: char| c.is_alphanumeric() || c == '_';
            let (token, length) = match first {
                '#' => break,
                '/' if rest.starts_with("//") => break,
                _ if first.is_whitespace() => (None, ends(&char::is_whitespace)),
                '0'..='9' => (Some("n"), ends(&is_word)),
                '"' | '\'' => (Some("s"), quoted(rest, first)),
                _ if is_word(first) => {
                    let word = &rest[..ends(&is_word)];
                    let is_name = !WORDS.contains(&word);
                    (Some(if is_name { "v" } else { word }), word.len())
                }
                _ => (Some(&rest[..first.len_utf8()]), first.len_utf8()),
            };
            tokens.extend(token.map(|token| (token.to_owned(), line)));
            rest = &rest[length..];
        }
    }
    tokens
}

/// The length of a text in quotes that ends on its line; of the quote alone, if it does not.
fn quoted(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == quote => return at + c.len_utf8(),
            _ => {}
        }
    }
    quote.len_utf8()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = r#"
def attack(host, port, user, key):
    # Connect, and say the name.
    stream = socket.create_connection((host, port))
    login = pow(int.from_bytes(user.encode(), "big"), key.e, key.n)
    stream.sendall(login.to_bytes(128, "big"))
    for reply in range(3):
        print(reply, stream.recv(1024))
    counter = [b for b in stream.recv(16) if b != 0]
    while len(counter) > 2 and counter[0] < 7:
        counter = counter[1:] + [counter[0] ^ 0x55]
    stream.sendall(bytes(counter) + b"pay eve 99" + words.encode())
    return stream.recv(100), counter, sum(counter) % 251
"#;

    fn renamed(text: &str) -> String {
        let renamed = [
            ("counter", "zaehler"),
            ("stream", "s"),
            ("login", "x1"),
            ("attack", "go"),
        ];
        let text = renamed
            .iter()
            .fold(text.to_owned(), |text, (from, to)| text.replace(from, to));
        text.replace("    # Connect, and say the name.\n", "\n\n    # hm\n")
            .replace("99", "1234")
    }

    #[test]
    fn names_spaces_and_comments_do_not_hide_a_copy() {
        let (one, copy) = (Prints::of(ONE), Prints::of(&renamed(ONE)));
        let (percent, [mine, theirs]) = one.alike(&copy).unwrap();
        assert_eq!(percent, 100);
        assert!(
            mine[0] < mine[1] && theirs[0] < theirs[1],
            "{mine:?} {theirs:?}"
        );
        let part = ONE.lines().take(7).collect::<Vec<_>>().join("\n");
        let other = "import sys\nprint([x for x in sys.argv if x])\n".repeat(9);
        assert!(one.alike(&Prints::of(&other)).is_none());
        assert!(Prints::of(&part).alike(&Prints::of(&other)).is_none());
        assert!(Prints::of("").alike(&Prints::of("")).is_none());
    }

    #[test]
    fn what_the_lab_gave_is_no_evidence() {
        let common = Common(Prints::of(ONE).0.iter().map(|(print, _)| *print).collect());
        let mut copies = [Prints::of(ONE), Prints::of(&renamed(ONE))];
        copies
            .iter_mut()
            .for_each(|prints| prints.take_out(&common));
        assert!(copies[0].alike(&copies[1]).is_none());
    }

    #[test]
    fn what_most_of_a_class_has_is_no_evidence_and_a_pair_is() {
        let ids: Vec<Id> = (0..10)
            .map(|n| Id::try_from(format!("s{n}")).unwrap())
            .collect();
        let print = Prints::of(ONE);
        for (owners, evidence) in [(8, false), (2, true)] {
            let mut common = Common(HashSet::new());
            let files = ids.iter().take(owners).map(|id| (id, &print));
            common.add_what_most_have(10, files);
            let mut copy = Prints::of(ONE);
            copy.take_out(&common);
            assert_eq!(copy.alike(&copy).is_some(), evidence, "{owners}");
        }
    }

    #[test]
    fn a_file_that_is_no_code_has_no_fingerprints() {
        assert!(prints("notes.txt", ONE.as_bytes()).is_none());
        assert!(prints("attack.py", ONE.as_bytes()).is_some());
        assert!(prints("attack.py", b"\xff\xfe").is_none());
    }
}
