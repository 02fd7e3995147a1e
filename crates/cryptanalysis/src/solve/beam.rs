//! The search: every keystream byte is tried, from left to right. The keystreams are kept under which all messages at
//! once read most like language.

use std::collections::HashMap;
use std::rc::Rc;

use super::Watch;
use super::lattice::{Lattice, Node, Way};
use super::memory::Memory;
use super::mixture::{Mixture, Opinions, Weights};
use crate::keystream::Keystream;
use crate::language::alphabet::{BOUNDARY, Context, Distribution};

/// How wide and how deep to search.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// How many keystreams are followed at once.
    pub(super) beam: usize,
    /// A keystream that is worse than the best by this margin (in natural logarithms) is given up.
    pub(super) margin: f32,
    /// Whether to ask the recurrent model too.
    pub(super) recurrent: bool,
}

/// The most messages that are looked at; more add nothing but time.
const VOTERS: usize = 48;
/// Keystreams that agree in this many last bytes have the same future, so only the best of them is followed.
const SAME_FUTURE: u32 = 10;
/// How much the end of a message counts: a text tends to end where a sentence does, but may be cut. Of two messages, the
/// end of the shorter one also says which is which, and then it should not outvote all that was read before.
const ENDING: f32 = 1.0;
const ENDING_OF_TWO: f32 = 0.5;
/// An ending that no model expects counts as this probable (a natural logarithm).
const RAREST_ENDING: f32 = -9.0;

/// One message as a hypothesis sees it.
#[derive(Clone, Copy)]
struct Reading {
    context: Context,
    weights: Weights,
}

/// A keystream that is being followed.
#[derive(Clone)]
struct Hypothesis {
    score: f32,
    /// The last bytes of the keystream.
    recent: u128,
    /// How each message reads under it.
    readings: Vec<Reading>,
}

/// A hypothesis's continuation by one keystream byte.
#[derive(Clone, Copy)]
struct Step {
    score: f32,
    from: u32,
    key: u8,
}

impl Step {
    /// The best first, and a fixed order among equals.
    fn order(a: &Self, b: &Self) -> std::cmp::Ordering {
        let by_score = b.score.total_cmp(&a.score);
        by_score.then((a.from, a.key).cmp(&(b.from, b.key)))
    }
}

/// A search over one session.
pub(super) struct Search<'a, 'b> {
    /// Longest first, none twice.
    messages: Vec<&'a [u8]>,
    certain: &'a Keystream,
    mixture: &'a mut Mixture<'b>,
    effort: Effort,
    /// `symbols[message][key byte]` at the present place.
    symbols: Vec<[u8; 256]>,
    /// The memory of the recurrent model under each hypothesis of the beam.
    memory: Memory<'b>,
}

/// The path of a search.
pub(super) struct Followed {
    /// The whole lattice.
    pub(super) lattice: Lattice,
    /// The place of the best hypothesis in the last step.
    pub(super) best: usize,
    /// Its score: the log-probability of what it makes of the messages.
    pub(super) score: f32,
}

impl<'a, 'b> Search<'a, 'b> {
    /// Prepares a search over messages that are all different.
    pub(super) fn new(
        mut messages: Vec<&'a [u8]>,
        certain: &'a Keystream,
        mixture: &'a mut Mixture<'b>,
        effort: Effort,
    ) -> Self {
        messages.sort_by_key(|message| std::cmp::Reverse(message.len()));
        messages.truncate(VOTERS);
        let model = mixture.language.recurrent.as_ref();
        Self {
            memory: Memory::new(model.filter(|_| effort.recurrent), messages.len()),
            symbols: vec![[0; 256]; messages.len()],
            messages,
            certain,
            mixture,
            effort,
        }
    }

    /// Follows the keystream as far as two messages reach, or as `watch` wants it.
    pub(super) fn run(mut self, watch: &mut Watch<'_>) -> Followed {
        let reading = Reading {
            context: Context::START,
            weights: Weights::default(),
        };
        let mut beam = vec![Hypothesis {
            score: 0.0,
            recent: 0,
            readings: vec![reading; self.messages.len()],
        }];
        let mut lattice = Lattice::default();
        let reach = self.messages.get(1).map_or(0, |message| message.len());
        for at in 0..reach {
            let (nodes, next) = self.step(at, &beam);
            lattice.push(nodes);
            beam = next;
            if watch(at + 1, reach).is_break() {
                break;
            }
        }
        let scores = beam.iter().map(|hypothesis| hypothesis.score).enumerate();
        let best = scores.max_by(|a, b| a.1.total_cmp(&b.1));
        let (best, score) = best.unwrap_or((0, 0.0));
        Followed {
            lattice,
            best,
            score,
        }
    }

    /// Continues all hypotheses of `beam` by the keystream byte at `at`.
    fn step(&mut self, at: usize, beam: &[Hypothesis]) -> (Vec<Node>, Vec<Hypothesis>) {
        // Longest first: those that reach this place come before those that do not.
        let live = self.messages.partition_point(|message| message.len() > at);
        for (message, symbols) in self.messages[..live].iter().zip(&mut self.symbols) {
            for (key, symbol) in (0u8..=255).zip(symbols) {
                *symbol = self.mixture.language.alphabet.symbol(message[at] ^ key);
            }
        }
        let (steps, opinions) = self.candidates(at, beam, live);
        let (mut nodes, chosen) = self.select(beam, &steps);
        let child = |step: &Step| self.child(beam, *step, &opinions[step.from as usize]);
        let mut next: Vec<Hypothesis> = chosen.iter().map(child).collect();
        self.remember(&chosen, live);
        for (place, (node, child)) in nodes.iter_mut().zip(&mut next).enumerate() {
            let ending = self.ending(at, live, child, place);
            child.score += ending;
            node.gain(ending);
        }
        (nodes, next)
    }

    /// The steps that are good enough, the best first, and what each hypothesis of `beam` heard from the models.
    fn candidates(
        &mut self,
        at: usize,
        beam: &[Hypothesis],
        live: usize,
    ) -> (Vec<Step>, Vec<Vec<Rc<Opinions>>>) {
        let allowed = self.allowed(at);
        let mut steps = Vec::new();
        let mut opinions = Vec::with_capacity(beam.len());
        let mut least = f32::MIN;
        for (from, hypothesis) in (0..).zip(beam) {
            let (scores, heard) = self.score(hypothesis, from as usize, live);
            opinions.push(heard);
            let tried = allowed.iter().map(|&key| (key, scores[usize::from(key)]));
            let best = tried
                .clone()
                .fold(f32::MIN, |best, (_, score)| best.max(score));
            least = least.max(best - self.effort.margin);
            let good = tried.filter(|&(_, score)| score >= least);
            steps.extend(good.map(|(key, score)| Step { score, from, key }));
        }
        steps.retain(|step| step.score >= least);
        // Some room for those that will be merged; sorting all of them would take most of the time.
        let enough = self.effort.beam * 3;
        if steps.len() > enough {
            steps.select_nth_unstable_by(enough, Step::order);
            steps.truncate(enough);
        }
        steps.sort_unstable_by(Step::order);
        (steps, opinions)
    }

    /// The keystream bytes that are possible at `at`.
    fn allowed(&self, at: usize) -> Vec<u8> {
        if let Some(key) = self.certain.get(at) {
            return vec![key];
        }
        match self.messages[..] {
            // Two messages can always be exchanged. At first nothing tells them apart, so half the bytes are enough.
            [a, b] if at == 0 => (0..=255).filter(|key| a[0] ^ key <= b[0] ^ key).collect(),
            _ => (0..=255).collect(),
        }
    }

    /// The score of the hypothesis at `place` of the beam after each keystream byte, and the opinions that led to it, by
    /// message.
    fn score(
        &mut self,
        hypothesis: &Hypothesis,
        place: usize,
        live: usize,
    ) -> ([f32; 256], Vec<Rc<Opinions>>) {
        let mut scores = [hypothesis.score; 256];
        let mut heard = Vec::with_capacity(live);
        let each = hypothesis.readings.iter().zip(&self.symbols[..live]);
        for (message, (reading, symbols)) in each.enumerate() {
            let opinions = self.mixture.opinions(reading.context);
            let recurrent = self.memory.expected(place, message);
            let ln = self.mixture.blend(&opinions, recurrent, &reading.weights);
            add(&mut scores, symbols, &ln);
            heard.push(opinions);
        }
        (scores, heard)
    }

    /// The best of `steps` lead to the next beam; those that share a future with a better one are merged into it.
    fn select(&self, beam: &[Hypothesis], steps: &[Step]) -> (Vec<Node>, Vec<Step>) {
        let mut futures = HashMap::new();
        let (mut nodes, mut chosen): (Vec<Node>, Vec<Step>) = (Vec::new(), Vec::new());
        for &step in steps {
            let parent = &beam[step.from as usize];
            let way = Way {
                from: step.from,
                gain: step.score - parent.score,
            };
            let recent = recent(parent, step);
            if let Some(&same) = futures.get(&recent) {
                let node: &mut Node = &mut nodes[same];
                node.merge(way);
            } else if chosen.len() < self.effort.beam {
                futures.insert(recent, chosen.len());
                nodes.push(Node::new(step.key, way));
                chosen.push(step);
            }
        }
        (nodes, chosen)
    }

    /// A hypothesis after one more keystream byte.
    fn child(&self, beam: &[Hypothesis], step: Step, opinions: &[Rc<Opinions>]) -> Hypothesis {
        let place = step.from as usize;
        let mut child = beam[place].clone();
        child.score = step.score;
        child.recent = recent(&beam[place], step);
        let each = child.readings.iter_mut().zip(&self.symbols).zip(opinions);
        for (message, ((reading, symbols), opinions)) in each.enumerate() {
            let symbol = symbols[usize::from(step.key)];
            let recurrent = self.memory.expected(place, message);
            reading.weights = reading.weights.then(opinions, recurrent, symbol);
            reading.context = reading.context.then(symbol);
        }
        child
    }

    /// Lets the recurrent model read on under the hypotheses of the next beam.
    fn remember(&mut self, chosen: &[Step], live: usize) {
        let from = chosen.iter().map(|step| step.from as usize);
        let symbols = |step: &Step| {
            let key = usize::from(step.key);
            self.symbols[..live].iter().map(move |symbols| symbols[key])
        };
        let symbols: Vec<u8> = chosen.iter().flat_map(symbols).collect();
        self.memory = self.memory.then(from, live, &symbols);
    }

    /// The amount that the messages that end at this place add to the hypothesis at `place` of the beam: how well its
    /// texts end there.
    fn ending(&mut self, at: usize, live: usize, hypothesis: &Hypothesis, place: usize) -> f32 {
        let mut sum = 0.0;
        let weight = match self.messages.len() {
            2 => ENDING_OF_TWO,
            _ => ENDING,
        };
        for message in (0..live).rev() {
            if self.messages[message].len() > at + 1 {
                break;
            }
            let reading = hypothesis.readings[message];
            let opinions = self.mixture.opinions(reading.context);
            let recurrent = self.memory.expected(place, message);
            let ln = self.mixture.blend(&opinions, recurrent, &reading.weights);
            sum += weight * ln[usize::from(BOUNDARY)].max(RAREST_ENDING);
        }
        sum
    }
}

/// The last keystream bytes after a step.
fn recent(parent: &Hypothesis, step: Step) -> u128 {
    (parent.recent << 8 | u128::from(step.key)) & ((1 << (8 * SAME_FUTURE)) - 1)
}

/// Adds to the score of each keystream byte what it makes of one message.
fn add(scores: &mut [f32; 256], symbols: &[u8; 256], ln: &Distribution) {
    for (score, &symbol) in scores.iter_mut().zip(symbols) {
        *score += ln[usize::from(symbol) % ln.len()];
    }
}
