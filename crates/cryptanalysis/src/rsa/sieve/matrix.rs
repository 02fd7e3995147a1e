//! Linear algebra over the field of two elements: which relations multiply to a square.
//!
//! Each relation is a row, with a column for each prime that divides it an odd number of times. A set of rows that add
//! up to zero is a dependency. Most columns are those of large primes and hold very few rows. They are eliminated in
//! the sparse form first ("structured Gaussian elimination", LaMacchia and Odlyzko 1990). The rest is small enough to
//! be eliminated as bits. Eight columns are eliminated at a time, with a table of all sums of eight rows (Arlazarov et
//! al. 1970, "four Russians").

use std::collections::HashMap;

use rayon::prelude::*;

/// The columns that occur an odd number of times, in order.
pub(super) fn odd(columns: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut columns: Vec<u64> = columns.collect();
    columns.sort_unstable();
    let runs = columns.chunk_by(|a, b| a == b);
    runs.filter(|run| run.len() % 2 == 1)
        .map(|run| run[0])
        .collect()
}

/// A sum of rows.
#[derive(Clone, Debug)]
struct Row {
    /// The columns of the row, in order.
    columns: Vec<u64>,
    /// The rows that were added up, in order.
    members: Vec<u32>,
}

impl Row {
    fn add(&mut self, other: &Self) {
        self.columns = difference(&self.columns, &other.columns);
        self.members = difference(&self.members, &other.members);
    }
}

/// The elements that are in one of two ordered lists but not in both.
fn difference<T: Ord + Copy>(a: &[T], b: &[T]) -> Vec<T> {
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    let mut sum = Vec::with_capacity(a.len() + b.len());
    loop {
        let next = match (a.peek(), b.peek()) {
            (Some(x), Some(y)) if x == y => {
                a.next();
                b.next();
                continue;
            }
            (Some(x), Some(y)) if x > y => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        };
        match next {
            Some(next) => sum.push(next),
            None => return sum,
        }
    }
}

/// Sets of rows, each of which adds up to zero. As many as there are, and independent of each other.
pub(super) fn dependencies(rows: Vec<Vec<u64>>) -> Vec<Vec<u32>> {
    let numbered = (0..).zip(rows);
    let mut rows: Vec<Row> = numbered
        .map(|(i, columns)| Row {
            columns,
            members: vec![i],
        })
        .collect();
    while merge_light_columns(&mut rows) {}
    eliminate(rows)
}

/// Columns up to this weight are eliminated in the sparse form.
const LIGHT: usize = 5;

/// Drops rows that nothing can cancel, and eliminates light columns by adding the shortest of their rows to the others. Takes each row
/// once at most, so it is to be called again while it returns true.
fn merge_light_columns(rows: &mut Vec<Row>) -> bool {
    let mut holders: HashMap<u64, Vec<usize>> = HashMap::new();
    for (i, row) in rows.iter().enumerate() {
        for &column in &row.columns {
            let holders = holders.entry(column).or_default();
            if holders.len() <= LIGHT {
                holders.push(i);
            }
        }
    }
    let mut light: Vec<(u64, Vec<usize>)> = holders
        .into_iter()
        .filter(|(_, holders)| holders.len() <= LIGHT)
        .collect();
    // The order of a hash map differs from run to run.
    light.sort_unstable_by_key(|(column, holders)| (holders.len(), *column));
    let mut touched = vec![false; rows.len()];
    let mut gone = vec![false; rows.len()];
    for (_, holders) in light {
        if holders.iter().any(|&i| touched[i]) {
            continue;
        }
        let Some(&pivot) = holders.iter().min_by_key(|&&i| rows[i].columns.len()) else {
            continue;
        };
        // Heavy sums would cost more below than the column saves.
        if holders.len() > 2 && rows[pivot].columns.len() > 40 {
            continue;
        }
        let pivot_row = rows[pivot].clone();
        for i in holders {
            touched[i] = true;
            if i != pivot {
                rows[i].add(&pivot_row);
            }
        }
        gone[pivot] = true;
    }
    let before = rows.len();
    let mut gone = gone.into_iter();
    rows.retain(|_| gone.next() != Some(true));
    rows.len() < before
}

/// Columns that are eliminated at once.
const AT_ONCE: usize = 8;

/// A row as bits: first its columns, then which rows it is the sum of.
type Bits = Vec<u64>;

fn eliminate(rows: Vec<Row>) -> Vec<Vec<u32>> {
    let mut columns: Vec<u64> = rows
        .iter()
        .flat_map(|row| row.columns.iter().copied())
        .collect();
    columns.sort_unstable();
    columns.dedup();
    let words = columns.len().div_ceil(64);
    let width = words + rows.len().div_ceil(64);
    let mut matrix: Vec<Bits> = rows
        .par_iter()
        .enumerate()
        .map(|(i, row)| {
            let mut bits = vec![0; width];
            for column in &row.columns {
                set(&mut bits, columns.partition_point(|c| c < column));
            }
            set(&mut bits, 64 * words + i);
            bits
        })
        .collect();
    let rank = reduce(&mut matrix, columns.len());
    let zeros = matrix[rank..].iter();
    zeros
        .map(|bits| {
            let sum = (0..rows.len()).filter(|i| get(bits, 64 * words + i));
            odd(sum.flat_map(|i| rows[i].members.iter().map(|&member| u64::from(member))))
                .into_iter()
                .map(|member| member as u32)
                .collect()
        })
        .collect()
}

/// Brings the rows into echelon form over the first `columns`, and returns how many are not zero there.
fn reduce(matrix: &mut [Bits], columns: usize) -> usize {
    let (mut rank, mut column) = (0, 0);
    while column < columns && rank < matrix.len() {
        let rest = &mut matrix[rank..];
        // Pivots: rows with a 1 in one of these columns and a 0 in the others.
        let mut pivots: Vec<usize> = Vec::new();
        while pivots.len() < AT_ONCE && column < columns {
            if find_pivot(rest, &pivots, column) {
                pivots.push(column);
            }
            column += 1;
        }
        let (heads, others) = rest.split_at_mut(pivots.len());
        let from = pivots.first().map_or(0, |first| first / 64);
        let table = sums(heads, from);
        others.par_iter_mut().for_each(|row| {
            let bits = pivots.iter().enumerate();
            let index: usize = bits
                .map(|(k, &column)| usize::from(get(row, column)) << k)
                .sum();
            if index != 0 {
                add(&mut row[from..], &table[index]);
            }
        });
        rank += pivots.len();
    }
    rank
}

/// Looks for a row with a 1 in `column`, once the pivots found so far are taken off it, and moves it behind them.
fn find_pivot(rows: &mut [Bits], pivots: &[usize], column: usize) -> bool {
    let count = pivots.len();
    for i in count..rows.len() {
        let (heads, others) = rows.split_at_mut(count);
        let row = &mut others[i - count];
        for (head, &pivot) in heads.iter().zip(pivots) {
            if get(row, pivot) {
                add(row, head);
            }
        }
        if get(row, column) {
            others.swap(0, i - count);
            for head in heads {
                if get(head, column) {
                    add(head, &others[0]);
                }
            }
            return true;
        }
    }
    false
}

/// All sums of the heads, from word `from` on; bit k of the index says whether head k is in it.
fn sums(heads: &[Bits], from: usize) -> Vec<Bits> {
    let width = heads.first().map_or(0, |head| head.len() - from);
    let mut table = vec![vec![0; width]];
    for head in heads {
        for i in 0..table.len() {
            let mut sum = table[i].clone();
            add(&mut sum, &head[from..]);
            table.push(sum);
        }
    }
    table
}

fn add(row: &mut [u64], other: &[u64]) {
    for (word, other) in row.iter_mut().zip(other) {
        *word ^= other;
    }
}

fn get(bits: &[u64], i: usize) -> bool {
    bits[i / 64] >> (i % 64) & 1 == 1
}

fn set(bits: &mut [u64], i: usize) {
    bits[i / 64] |= 1 << (i % 64);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generators::Generator;

    /// Random rows, of which many columns are light.
    fn random(count: usize, columns: u64, seed: u64) -> Vec<Vec<u64>> {
        let mut random = Generator::Mt19937.start(seed);
        let mut below = |bound: u64| {
            let mut bytes = [0; 8];
            random.fill(&mut bytes);
            u64::from_le_bytes(bytes) % bound
        };
        (0..count)
            .map(|_| {
                let mut row: Vec<u64> = (0..8).map(|_| below(1 + columns * 3 / 4)).collect();
                row.push(below(columns));
                odd(row.into_iter())
            })
            .collect()
    }

    #[test]
    fn every_dependency_adds_up_to_zero_and_none_is_missing() {
        for (count, columns) in [(0, 1), (1, 1), (5, 3), (40, 30), (300, 250), (900, 700)] {
            let rows = random(count, columns, count as u64);
            let found = dependencies(rows.clone());
            assert!(
                found.len() >= count.saturating_sub(columns as usize),
                "{}",
                found.len()
            );
            for members in &found {
                assert!(!members.is_empty());
                let sum = members
                    .iter()
                    .flat_map(|&i| rows[i as usize].iter().copied());
                assert!(odd(sum).is_empty());
            }
            assert_eq!(found, dependencies(rows), "the same every time");
        }
    }

    #[test]
    fn an_independent_set_has_no_dependency() {
        let rows: Vec<Vec<u64>> = (0..200).map(|i| vec![i, i + 1]).collect();
        assert!(dependencies(rows.clone()).is_empty());
        let ring = [rows, vec![vec![0, 200]]].concat();
        assert_eq!(dependencies(ring)[0].len(), 201);
    }

    #[test]
    fn lists_are_subtracted_both_ways() {
        assert_eq!(difference(&[1, 3, 5], &[2, 3, 9]), [1, 2, 5, 9]);
        assert_eq!(difference(&[], &[4]), [4]);
        assert_eq!(odd([5, 2, 5, 5, 7, 2].into_iter()), [5, 7]);
    }
}
