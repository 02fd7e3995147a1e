//! The matrix after it was run: the source of all ways of printing it.

use serde::Serialize;

use latchstring_arena::{Run, against::Against, verdict::Outcome};

/// Every attack against every target.
#[derive(Debug, Clone, Serialize)]
pub struct Matrix {
    /// The seed that all runs were made from.
    pub seed: u64,
    /// The targets: faithful, hardened, then hardened without one defence or several.
    pub columns: Vec<Column>,
    /// The attacks, in the order of the registry.
    pub rows: Vec<Row>,
}

/// A target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// As on the command line: `faithful`, `hardened`, `hardened-minus=mac,fresh-nonce`.
    pub id: String,
    /// The defences that were taken out; none for `faithful` and `hardened`.
    pub without: Vec<String>,
}

/// An attack with its cells, one for each column.
#[derive(Debug, Clone, Serialize)]
pub struct Row {
    /// The attack.
    pub attack: String,
    /// The action of the attack, in a few words.
    pub title: String,
    /// The attacker's position and abilities.
    pub vantage: String,
    /// In the order of the columns.
    pub cells: Vec<Run>,
}

impl Column {
    /// The head of the column: the target, or the missing defences.
    pub fn label(&self) -> String {
        if self.without.is_empty() {
            self.id.clone()
        } else {
            self.without.join(" + ")
        }
    }

    /// For a sentence, after "against".
    pub fn target(&self) -> String {
        match &self.without[..] {
            [] => self.id.clone(),
            [rest @ .., last] if !rest.is_empty() => {
                format!("hardened without {} and {last}", rest.join(", "))
            }
            _ => format!("hardened without {}", self.label()),
        }
    }

    /// The place in a wide table: faithful, hardened, without one defence, without several.
    pub(super) fn group(&self) -> usize {
        match self.without.len() {
            0 => usize::from(self.id != "faithful"),
            1 => 2,
            _ => 3,
        }
    }

    /// Whether this target lacks all defences that the other lacks, and perhaps more.
    pub fn removes_all_of(&self, other: &Self) -> bool {
        other
            .without
            .iter()
            .all(|defence| self.without.contains(defence))
    }
}

/// Where the transcript of a cell is, within a page of transcripts.
pub fn anchor(row: &Row, column: &Column) -> String {
    format!("{}.{}", row.attack, column.id)
}

impl Matrix {
    /// All runs, row by row.
    pub fn runs(&self) -> impl Iterator<Item = &Run> {
        self.rows.iter().flat_map(|row| &row.cells)
    }

    /// The verdicts alone, which must be equal over both wires.
    pub fn verdicts(&self) -> Vec<(&'static str, Against, Outcome)> {
        let cell = |run: &Run| (run.attack, run.against, run.verdict.outcome);
        self.runs().map(cell).collect()
    }

    /// The cells of a row with their columns.
    pub fn cells<'a>(&'a self, row: &'a Row) -> impl Iterator<Item = (&'a Column, &'a Run)> {
        self.columns.iter().zip(&row.cells)
    }

    /// The cell of a row in the column of this name.
    pub fn cell<'a>(&'a self, row: &'a Row, column: &str) -> Option<&'a Run> {
        let mut cells = self.cells(row);
        cells.find(|(at, _)| at.id == column).map(|(_, cell)| cell)
    }

    /// The smallest sets of defences without which the attack succeeds: of columns that remove the same and more, the
    /// one that removes least.
    pub fn returns_without<'a>(&'a self, row: &'a Row) -> Vec<&'a Column> {
        let broken = self.cells(row).filter(|(column, cell)| {
            cell.verdict.outcome == Outcome::Broke && !column.without.is_empty()
        });
        let broken: Vec<&Column> = broken.map(|(column, _)| column).collect();
        let minimal = |column: &&Column| {
            let mut others = broken.iter().filter(|other| **other != *column);
            !others.any(|other| column.removes_all_of(other))
        };
        broken.iter().copied().filter(minimal).collect()
    }

    /// The single defences, each with the attacks that succeed without it alone.
    pub fn stopped_by(&self) -> Vec<(&str, Vec<&Row>)> {
        let single = self.columns.iter().enumerate();
        let single = single.filter_map(|(index, column)| match &column.without[..] {
            [defence] => Some((index, defence.as_str())),
            _ => None,
        });
        let broken = |index: usize| {
            let rows = self.rows.iter();
            rows.filter(|row| {
                row.cells
                    .get(index)
                    .is_some_and(|cell| cell.verdict.outcome == Outcome::Broke)
            })
            .collect()
        };
        single
            .map(|(index, defence)| (defence, broken(index)))
            .collect()
    }

    /// How many attacks succeed in each column.
    pub fn broken_in_each(&self) -> Vec<usize> {
        let count = |index: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(index));
            cells
                .filter(|cell| cell.verdict.outcome == Outcome::Broke)
                .count()
        };
        (0..self.columns.len()).map(count).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use latchstring_arena::verdict::Verdict;

    /// Three attacks: one that any of two defences stops, one that two defences mask for each other, one that nothing
    /// stops.
    pub(crate) fn small() -> Matrix {
        let columns = [
            ("faithful", &[][..]),
            ("hardened", &[]),
            ("hardened-minus=mac", &["mac"]),
            ("hardened-minus=fresh-nonce", &["fresh-nonce"]),
            ("hardened-minus=mac,fresh-nonce", &["mac", "fresh-nonce"]),
        ];
        let columns = columns.map(|(id, without)| Column {
            id: id.to_owned(),
            without: without.iter().map(|id| (*id).to_owned()).collect(),
        });
        let row = |attack: &str, outcomes: &str| Row {
            attack: attack.to_owned(),
            title: format!("do <{attack}> & more"),
            vantage: "on the path".to_owned(),
            cells: outcomes.chars().map(run).collect(),
        };
        Matrix {
            seed: 7,
            columns: columns.to_vec(),
            rows: vec![
                row("bit-flip", "BHBHB"),
                row("keystream-reuse", "BHHBB"),
                row("forge-both", "NHHHB"),
            ],
        }
    }

    fn run(letter: char) -> Run {
        let outcome = match letter {
            'B' => Outcome::Broke,
            'H' => Outcome::Held,
            'N' => Outcome::DoesNotApply,
            _ => Outcome::Inconclusive,
        };
        Run {
            attack: "",
            against: Against::Faithful,
            verdict: Verdict::new(outcome, format!("it {outcome}")),
            wire: vec!["alice -> server: 3 bytes".to_owned()],
            story: vec![format!("a line of {letter}"), "x < y & \"z\"".to_owned()],
        }
    }

    fn labels(columns: Vec<&Column>) -> Vec<String> {
        columns.into_iter().map(Column::label).collect()
    }

    #[test]
    fn only_the_smallest_sets_are_told() {
        let matrix = small();
        let sets = |index: usize| labels(matrix.returns_without(&matrix.rows[index]));
        assert_eq!(sets(0), ["mac"], "the pair says nothing new");
        assert_eq!(sets(1), ["fresh-nonce"]);
        assert_eq!(sets(2), ["mac + fresh-nonce"]);
    }

    #[test]
    fn each_defence_has_its_attacks() {
        let matrix = small();
        let stopped: Vec<_> = matrix
            .stopped_by()
            .into_iter()
            .map(|(defence, rows)| {
                let attacks: Vec<&str> = rows.iter().map(|row| row.attack.as_str()).collect();
                (defence, attacks)
            })
            .collect();
        assert_eq!(
            stopped,
            [
                ("mac", vec!["bit-flip"]),
                ("fresh-nonce", vec!["keystream-reuse"])
            ]
        );
        assert_eq!(matrix.broken_in_each(), [2, 0, 1, 1, 3]);
    }

    #[test]
    fn targets_are_named_for_a_sentence() {
        let names: Vec<String> = small().columns.iter().map(Column::target).collect();
        assert_eq!(
            names,
            [
                "faithful",
                "hardened",
                "hardened without mac",
                "hardened without fresh-nonce",
                "hardened without mac and fresh-nonce"
            ]
        );
    }
}
