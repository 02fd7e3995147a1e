//! The file that a language is shipped in.
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | [`MAGIC`] |
//! | 8 | checksum of all that follows |
//! | 1 + n | name |
//! | 1 + n | alphabet |
//! | 1 | number of models, each: |
//! | 4 × symbols | the distribution without context (f32) |
//! | 1 | number of levels |
//! | 4 | contexts of one symbol |
//! | 4 + n | all levels, through the entropy coder |
//! | 1 | number of recurrent models: none or one, as `weights.rs` says |
//!
//! Numbers are little-endian.

use rayon::prelude::*;

use super::alphabet::{Alphabet, Distribution, SYMBOLS};
use super::ngrams::{Level, Ngrams};
use super::rans::{Decoder, encode};
use super::reader::Reader;
use super::recurrent::Recurrent;
use super::{Language, ModelError, weights};

/// The first bytes of the file; the digit is the version.
pub const MAGIC: &[u8; 8] = b"latchLM3";
/// The deepest level that has separate situations in the entropy coder.
const DEPTHS: usize = 18;
/// More models than this are not believed.
const MOST_MODELS: usize = 8;
/// More contexts and corrections than this in one model are not believed: the largest shipped one has a fiftieth.
const MOST_NUMBERS: usize = 1 << 25;
/// The limit on contexts and corrections from one byte of code, and on the additional ones from none. A table of one
/// symbol costs no code, so without this limit a short file could ask for any amount of memory. The shipped models need
/// three.
const NUMBERS_A_BYTE: usize = 32;
const NUMBERS_OF_NOTHING: usize = 1 << 12;
// The kinds of number in a level. Each has situations of its own: by depth, and by one thing more.
const CHILDREN: usize = 0;
const CORRECTIONS: usize = DEPTHS;
const CODE: usize = CORRECTIONS + 2 * DEPTHS;
/// By the parent's symbol: the letter before a letter.
const SYMBOL: usize = CODE + 2 * DEPTHS;
/// By the nearest symbol: the letter after a letter.
const CORRECTED: usize = SYMBOL + SYMBOLS;
const SITUATIONS: usize = CORRECTED + SYMBOLS;

/// One model as it is trained: the distribution without context, and the levels.
pub struct Trained {
    /// The probability of each symbol.
    pub root: Distribution,
    /// The contexts by length.
    pub levels: Vec<Level>,
}

/// Writes a language's file.
pub fn write(
    name: &str,
    alphabet: &Alphabet,
    models: &[Trained],
    recurrent: Option<&Recurrent>,
) -> Vec<u8> {
    let mut body = Vec::new();
    for text in [name.as_bytes(), alphabet.bytes()] {
        body.push(text.len() as u8);
        body.extend(text);
    }
    body.push(models.len() as u8);
    for model in models {
        for p in &model.root[..alphabet.size()] {
            body.extend(p.to_le_bytes());
        }
        body.push(model.levels.len() as u8);
        let first = model.levels.first().map_or(0, |level| level.symbols.len());
        body.extend((first as u32).to_le_bytes());
        let code = encode(&flatten(&model.levels), SITUATIONS);
        body.extend((code.len() as u32).to_le_bytes());
        body.extend(code);
    }
    body.push(u8::from(recurrent.is_some()));
    body.extend(
        recurrent
            .into_iter()
            .flat_map(|model| weights::pack(model, alphabet)),
    );
    [&MAGIC[..], &checksum(&body).to_le_bytes(), &body].concat()
}

/// The coder's knowledge of a context when it comes to the children.
#[derive(Clone, Copy, Default)]
struct Parent {
    symbol: u8,
    nearest: u8,
}

impl Parent {
    fn child(self, depth: usize, symbol: u8) -> Self {
        let nearest = if depth == 0 { symbol } else { self.nearest };
        Self { symbol, nearest }
    }
}

/// All numbers of the levels, in the order in which [`unflatten`] needs them, each with its situation.
fn flatten(levels: &[Level]) -> Vec<(u16, u8)> {
    let mut out = Vec::new();
    let first = levels.first().map_or(0, |level| level.symbols.len());
    let mut parents = vec![Parent::default(); first];
    for (depth, level) in levels.iter().enumerate() {
        let mut put = |situation: usize, number: u8| out.push((situation as u16, number));
        let mut next = Vec::new();
        let mut listed = 0;
        for (i, parent) in parents.iter().enumerate() {
            let (symbol, children) = (level.symbols[i], level.children[i]);
            let corrections = level.corrections[i];
            put(SYMBOL + usize::from(parent.symbol), symbol);
            put(CHILDREN + depth, children);
            let leaf = usize::from(children == 0);
            put(CORRECTIONS + 2 * depth + leaf, corrections);
            let node = parent.child(depth, symbol);
            let alone = usize::from(corrections == 1);
            for at in listed..listed + usize::from(corrections) {
                put(CORRECTED + usize::from(node.nearest), level.corrected[at]);
                put(CODE + 2 * depth + alone, level.codes[at]);
            }
            listed += usize::from(corrections);
            next.extend(std::iter::repeat_n(node, usize::from(children)));
        }
        parents = next;
    }
    out
}

/// How many contexts and corrections a file of `code` bytes may still ask for.
struct Limit(usize);

impl Limit {
    fn of(code: usize) -> Self {
        let numbers = code.saturating_mul(NUMBERS_A_BYTE);
        Self(numbers.saturating_add(NUMBERS_OF_NOTHING).min(MOST_NUMBERS))
    }

    /// `None` when that is more than is left. Asked before anything is allocated.
    fn take(&mut self, numbers: usize) -> Option<()> {
        self.0 = self.0.checked_sub(numbers)?;
        Some(())
    }
}

/// The levels again; `None` if they are more than the code can hold.
fn unflatten(
    decoder: &mut Decoder<'_>,
    depths: usize,
    first: usize,
    allowance: &mut Limit,
) -> Option<Vec<Level>> {
    let mut levels = Vec::with_capacity(depths);
    allowance.take(first)?;
    let mut parents = vec![Parent::default(); first];
    for depth in 0..depths {
        let mut level = Level::default();
        let mut next = Vec::new();
        for parent in &parents {
            let symbol = decoder.next(SYMBOL + usize::from(parent.symbol)) & 127;
            let children = decoder.next(CHILDREN + depth);
            let leaf = usize::from(children == 0);
            let corrections = decoder.next(CORRECTIONS + 2 * depth + leaf);
            allowance.take(usize::from(corrections))?;
            allowance.take(usize::from(children))?;
            let node = parent.child(depth, symbol);
            level.symbols.push(symbol);
            level.children.push(children);
            level.corrections.push(corrections);
            let alone = usize::from(corrections == 1);
            for _ in 0..corrections {
                let corrected = decoder.next(CORRECTED + usize::from(node.nearest));
                level.corrected.push(corrected & 127);
                level.codes.push(decoder.next(CODE + 2 * depth + alone));
            }
            next.extend(std::iter::repeat_n(node, usize::from(children)));
        }
        parents = next;
        levels.push(level);
    }
    Some(levels)
}

/// Reads a language's file.
///
/// # Errors
/// [`ModelError`] says what is wrong with it.
pub(super) fn read(file: &[u8]) -> Result<Language, ModelError> {
    let cut = ModelError::CutShort;
    let body = file.strip_prefix(MAGIC).ok_or(ModelError::NotAModel)?;
    let (sum, body) = body.split_first_chunk().ok_or(cut)?;
    if u64::from_le_bytes(*sum) != checksum(body) {
        return Err(ModelError::Damaged);
    }
    let mut reader = Reader(body);
    let name = String::from_utf8_lossy(reader.short().ok_or(cut)?).into_owned();
    let alphabet = Alphabet::new(reader.short().ok_or(cut)?);
    let mut packed = Vec::new();
    let models = usize::from(reader.byte().ok_or(cut)?);
    if models > MOST_MODELS {
        return Err(ModelError::Damaged);
    }
    for _ in 0..models {
        packed.push(Packed::take(&mut reader, &alphabet).ok_or(cut)?);
    }
    if packed.is_empty() {
        return Err(cut);
    }
    let weights = match reader.byte().ok_or(cut)? {
        0 => None,
        _ => Some(weights::Packed::take(&mut reader, &alphabet).ok_or(cut)?),
    };
    // Unpacking is most of what the program does at its start: on all cores, then.
    let (models, recurrent): (Result<_, _>, _) = rayon::join(
        || packed.par_iter().map(Packed::unpack).collect(),
        || weights.map(|weights| weights.unpack().ok_or(ModelError::Damaged)),
    );
    Ok(Language {
        name,
        alphabet,
        models: models?,
        recurrent: recurrent.transpose()?,
    })
}

/// One model as it stands in the file.
struct Packed<'a> {
    root: Distribution,
    depths: usize,
    first: usize,
    code: &'a [u8],
}

impl<'a> Packed<'a> {
    /// `None` if the file ends too early.
    fn take(reader: &mut Reader<'a>, alphabet: &Alphabet) -> Option<Self> {
        let mut root = [0.0; SYMBOLS];
        for p in &mut root[..alphabet.size()] {
            *p = f32::from_le_bytes(*reader.array()?);
        }
        let depths = usize::from(reader.byte()?).min(DEPTHS);
        let first = reader.number()?.min(SYMBOLS);
        let length = reader.number()?;
        Some(Self {
            root,
            depths,
            first,
            code: reader.take(length)?,
        })
    }

    fn unpack(&self) -> Result<Ngrams, ModelError> {
        // Not a number, or a negative one, is no probability.
        if !self.root.iter().all(|p| (0.0..=1.0).contains(p)) {
            return Err(ModelError::Damaged);
        }
        let mut allowance = Limit::of(self.code.len());
        let decoder = Decoder::new(self.code, SITUATIONS);
        let levels = decoder
            .and_then(|mut code| unflatten(&mut code, self.depths, self.first, &mut allowance));
        let levels = levels.ok_or(ModelError::Damaged)?;
        Ngrams::new(self.root, levels).map_err(|_| ModelError::Damaged)
    }
}

/// Like FNV-1a, but eight bytes at a step: the file is long, and this runs at every start.
fn checksum(bytes: &[u8]) -> u64 {
    let step = |sum: u64, word: u64| {
        (sum ^ word)
            .wrapping_mul(0x0000_0100_0000_01b3)
            .rotate_left(29)
    };
    let words = bytes.chunks(8).map(|chunk| {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        u64::from_le_bytes(word)
    });
    words.fold(0xcbf2_9ce4_8422_2325 ^ bytes.len() as u64, step)
}

#[cfg(test)]
mod tests {
    use super::super::alphabet::Context;
    use super::*;

    fn tiny() -> Vec<u8> {
        let alphabet = Alphabet::ascii_and(b"");
        let mut root = [0.0; SYMBOLS];
        root[..alphabet.size()].fill(1.0 / alphabet.size() as f32);
        let one = Level {
            symbols: vec![1, 9],
            children: vec![0, 1],
            corrections: vec![1, 2],
            corrected: vec![30, 31, 32],
            codes: vec![9, 8, 7],
        };
        let two = Level {
            symbols: vec![8],
            children: vec![0],
            corrections: vec![1],
            corrected: vec![40],
            codes: vec![31],
        };
        let levels = vec![one, two];
        write("tiny", &alphabet, &[Trained { root, levels }], None)
    }

    #[test]
    fn a_language_survives_its_file() {
        let language = read(&tiny()).unwrap();
        assert_eq!(language.name, "tiny");
        let (p, depth) = language.models[0].after(Context::START.then(8).then(9));
        assert_eq!((depth, language.models[0].len()), (2, 4));
        assert!(p[40] > p[31] && p[31] > p[32] && p[31] > p[50]);
    }

    #[test]
    fn each_kind_of_damage_has_its_error() {
        let file = tiny();
        assert_eq!(read(b"no such thing").unwrap_err(), ModelError::NotAModel);
        assert_eq!(read(MAGIC).unwrap_err(), ModelError::CutShort);
        for at in 8..file.len() {
            let mut damaged = file.clone();
            damaged[at] ^= 1;
            assert_eq!(read(&damaged).unwrap_err(), ModelError::Damaged);
            assert!(read(&file[..at]).is_err());
        }
    }

    /// The bytes of a file with this one model, under a right checksum.
    fn forged(code: &[u8], first: u32, tail: &[u8]) -> Vec<u8> {
        let mut body = vec![1, b'x', 1, b'e', 1];
        // Four symbols are in use: those of the alphabet's one byte and the three that every language has.
        body.extend([0.25f32; 4].iter().flat_map(|p| p.to_le_bytes()));
        body.push(DEPTHS as u8);
        body.extend(first.to_le_bytes());
        body.extend((code.len() as u32).to_le_bytes());
        body.extend(code);
        body.extend(tail);
        [&MAGIC[..], &checksum(&body).to_le_bytes(), &body].concat()
    }

    /// Code in which every number of every situation is the same one, at no cost.
    fn all_alike(number: u8, situations: usize) -> Vec<u8> {
        let mut table = vec![0; usize::from(number)];
        table.extend([2048u16.to_be_bytes()[0] << 1 | 128, 0]);
        table.insert(0, number + 1);
        let mut code = table.repeat(situations);
        code.extend([255; 16]);
        code
    }

    #[test]
    fn a_short_file_that_asks_for_gigabytes_is_refused_before_they_are_allocated() {
        for (number, first) in [(1, 128), (2, 128), (16, 1), (100, 2)] {
            let code = all_alike(number, SITUATIONS);
            let decodes = Decoder::new(&code, SITUATIONS).unwrap().next(7);
            assert_eq!(decodes, number, "the forgery is what it should be");
            let file = forged(&code, first, &[0]);
            let mut allowance = Limit::of(code.len());
            let all = allowance.0;
            let levels = unflatten(
                &mut Decoder::new(&code, SITUATIONS).unwrap(),
                DEPTHS,
                first as usize,
                &mut allowance,
            );
            // One child each stays small; what is wrong with that one is found later.
            assert_eq!(levels.is_none(), number > 1);
            assert!(all <= NUMBERS_A_BYTE * code.len() + NUMBERS_OF_NOTHING);
            assert_eq!(read(&file).unwrap_err(), ModelError::Damaged, "{number}");
        }
        let boundless = Limit::of(usize::MAX);
        assert_eq!(boundless.0, MOST_NUMBERS);
    }

    #[test]
    fn a_recurrent_model_is_no_larger_than_its_code() {
        let units = 1024u16;
        let rows = 4 + 2 * usize::from(units);
        let weights = |code: &[u8]| {
            let mut tail = vec![1];
            tail.extend(units.to_le_bytes());
            tail.extend(vec![0; 4 * (4 + rows)]);
            tail.extend((code.len() as u32).to_le_bytes());
            tail.extend(code);
            forged(&all_alike(0, SITUATIONS), 1, &tail)
        };
        let file = weights(&all_alike(3, 7));
        assert_eq!(read(&file).unwrap_err(), ModelError::Damaged);
    }

    #[test]
    fn what_is_no_number_is_no_probability() {
        let file = forged(&all_alike(0, SITUATIONS), 1, &[0]);
        assert!(read(&file).is_ok());
        for wrong in [f32::NAN, f32::INFINITY, -0.5, 2.0] {
            let mut body = file[16..].to_vec();
            body[5..9].copy_from_slice(&wrong.to_le_bytes());
            let file = [&MAGIC[..], &checksum(&body).to_le_bytes(), &body].concat();
            assert_eq!(read(&file).unwrap_err(), ModelError::Damaged, "{wrong}");
        }
        let mut models = file[16..].to_vec();
        models[4] = 255;
        let file = [&MAGIC[..], &checksum(&models).to_le_bytes(), &models].concat();
        assert_eq!(read(&file).unwrap_err(), ModelError::Damaged);
    }

    #[test]
    fn the_shipped_models_are_far_from_the_limits() {
        for name in Language::NAMES {
            let models = &Language::named(name).unwrap().models;
            assert!(models.len() <= MOST_MODELS / 2);
            let most = models.iter().map(Ngrams::len).max();
            assert!(most < Some(MOST_NUMBERS / 10), "{name}: {most:?}");
        }
    }

    #[test]
    fn a_forged_checksum_ends_in_an_error_or_a_model_but_not_in_a_panic() {
        let file = tiny();
        for at in 16..file.len() {
            for value in [0, 1, 127, 255] {
                let mut forged = file.clone();
                forged[at] = value;
                let sum = checksum(&forged[16..]).to_le_bytes();
                forged[8..16].copy_from_slice(&sum);
                if let Ok(language) = read(&forged) {
                    language.models[0].after(Context::START.then(9));
                }
            }
        }
    }
}
