//! All hypotheses that were followed, and how probable each byte of the keystream is in the eyes of all of them.
//!
//! Hypotheses that came to agree in all that matters for the future were merged; a merged one remembers each way that
//! leads to it. Summing over all ways, forwards and backwards, is the forward-backward algorithm of Baum et al. (1970).

/// The scores of whole messages differ by more than they should, since each character's error counts again. Before they
/// are taken for probabilities they are divided by this.
const OVERCONFIDENCE: f32 = 1.5;

/// A way into a hypothesis.
#[derive(Clone, Copy)]
pub(super) struct Way {
    /// The hypothesis it comes from, by its place in the step before.
    pub(super) from: u32,
    /// The log-probability it adds.
    pub(super) gain: f32,
}

/// A hypothesis after one step.
pub(super) struct Node {
    /// The keystream byte of this step.
    key: u8,
    /// The ways that lead here, the best first.
    ways: Vec<Way>,
    /// The logarithm of the sum over all ways from the start.
    forward: f32,
}

impl Node {
    pub(super) fn new(key: u8, way: Way) -> Self {
        Self {
            key,
            ways: vec![way],
            forward: 0.0,
        }
    }

    /// Adds to the gain of each way.
    pub(super) fn gain(&mut self, more: f32) {
        self.ways.iter_mut().for_each(|way| way.gain += more);
    }

    /// Adds a worse way to the same future.
    pub(super) fn merge(&mut self, way: Way) {
        self.ways.push(way);
    }
}

/// The hypotheses of every step.
#[derive(Default)]
pub(super) struct Lattice {
    steps: Vec<Vec<Node>>,
}

impl Lattice {
    /// Adds a step. The first one comes from one hypothesis, which knows nothing.
    pub(super) fn push(&mut self, mut nodes: Vec<Node>) {
        let before = self.steps.last();
        let so_far = |way: &Way| before.map_or(0.0, |nodes| nodes[way.from as usize].forward);
        for node in &mut nodes {
            let ways = node.ways.iter();
            node.forward = ln_sum(ways.map(|way| so_far(way) + way.gain / OVERCONFIDENCE));
        }
        self.steps.push(nodes);
    }

    /// The keystream of the hypothesis at place `last` of the last step.
    pub(super) fn path(&self, last: usize) -> Vec<u8> {
        let mut at = last;
        let mut path: Vec<u8> = Vec::with_capacity(self.steps.len());
        for nodes in self.steps.iter().rev() {
            let Some(node) = nodes.get(at) else { break };
            path.push(node.key);
            at = node.ways[0].from as usize;
        }
        path.reverse();
        path
    }

    /// For each step, how probable each keystream byte is.
    pub(super) fn posteriors(&self) -> Vec<[f32; 256]> {
        let mut out = vec![[0.0; 256]; self.steps.len()];
        let mut backward = vec![0.0; self.steps.last().map_or(0, Vec::len)];
        for (step, nodes) in self.steps.iter().enumerate().rev() {
            let each = || {
                nodes
                    .iter()
                    .zip(&backward)
                    .map(|(node, b)| node.forward + b)
            };
            let total = ln_sum(each());
            for (node, ln) in nodes.iter().zip(each()) {
                out[step][usize::from(node.key)] += (ln - total).exp();
            }
            let before = step
                .checked_sub(1)
                .map_or(0, |before| self.steps[before].len());
            backward = self.backward(step, &backward, before);
        }
        out
    }

    /// The sums over all ways from each of the `before` hypotheses to the end.
    fn backward(&self, step: usize, after: &[f32], before: usize) -> Vec<f32> {
        let mut sums = vec![f32::NEG_INFINITY; before];
        for (node, after) in self.steps[step].iter().zip(after) {
            for way in &node.ways {
                if let Some(sum) = sums.get_mut(way.from as usize) {
                    *sum = ln_sum([*sum, way.gain / OVERCONFIDENCE + after].into_iter());
                }
            }
        }
        sums
    }
}

/// The logarithm of the sum of numbers given by their logarithms.
fn ln_sum(logarithms: impl Iterator<Item = f32> + Clone) -> f32 {
    let largest = logarithms.clone().fold(f32::NEG_INFINITY, f32::max);
    if largest == f32::NEG_INFINITY {
        return largest;
    }
    largest + logarithms.map(|ln| (ln - largest).exp()).sum::<f32>().ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_as_probable_as_the_ways_through_them() {
        let way = |from, p: f32| Way {
            from,
            gain: p.ln() * OVERCONFIDENCE,
        };
        let mut lattice = Lattice::default();
        lattice.push(vec![Node::new(7, way(0, 0.6)), Node::new(9, way(0, 0.4))]);
        let mut merged = Node::new(1, way(0, 0.5));
        merged.merge(way(1, 1.0));
        lattice.push(vec![merged, Node::new(2, way(0, 0.5))]);
        let p = lattice.posteriors();
        assert!((p[0][7] - 0.6).abs() < 1e-5 && (p[0][9] - 0.4).abs() < 1e-5);
        assert!((p[1][1] - 0.7).abs() < 1e-5 && (p[1][2] - 0.3).abs() < 1e-5);
        assert_eq!(lattice.path(0), [7, 1]);
        assert!(Lattice::default().posteriors().is_empty());
    }
}
