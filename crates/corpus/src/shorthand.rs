//! Writes messages as people type them on a telephone: `c u 2nite, dont b l8!!`
//!
//! No package with a clear licence holds much of that, but its habits are well known. So conversations are written over
//! by rules: some words become shorter, apostrophes go, sentences run into each other. Every message has a separate
//! writer, who follows each habit more or less.

/// Short forms of two or three words.
const PHRASES: [(&str, &str); 20] = [
    ("see you", "c u"),
    ("are you", "r u"),
    ("thank you", "ty thank%u thx thanku"),
    ("going to", "gonna gona goin%2"),
    ("want to", "wanna wana"),
    ("got to", "gotta"),
    ("have to", "hav%2 hafta hv%to"),
    ("give me", "gimme"),
    ("let me", "lemme"),
    ("out of", "outta"),
    ("kind of", "kinda"),
    ("a lot", "alot"),
    ("i don't know", "idk dunno i%dunno"),
    ("oh my god", "omg"),
    ("by the way", "btw"),
    ("to be honest", "tbh"),
    ("talk to you later", "ttyl"),
    (
        "what are you doing",
        "wat%r%u%doin wot%u%doing wat%u%doin wud",
    ),
    ("right now", "rite%now rn"),
    ("how are you", "how%r%u hw%r%u how%are%u"),
];

/// Short forms of one word.
const WORDS: &str = "\
you u u u u ya|your ur ur ur yr|you're ur ur u%r youre|you've uve u%hav|you'll ull u'll u%wil|yourself urself|yours urs|\
are r r are|to 2 2 to|too 2 2 too|for 4 4 fr for|be b b be|see c c see|and n n & nd an|the d da de the the|that dat tht dat|\
this dis ths dis|there dere der ther|they dey dey thy|them dem em dem|then den den|than dan den|with wit wif wid w|what wat wot wht wat|\
what's wats wots whats|why y y|who hu who|when wen wen whn|where wer whr wher|how hw how|okay k ok kk okie|ok k kk okie|\
please pls plz pls|thanks thx tnx thanx thnks|because cos coz bcoz cuz bc cause|have hav hv hav|had hd had|has hs has|\
will wil will ll|would wud wld|could cud cld|should shud shld|know no knw kno knw|knew nu|don't dont dun dnt dont|can't cant cnt cant|\
didn't didnt didn din|won't wont|doesn't doesnt doesn|isn't isnt isn|wasn't wasnt|i'm im im m i%m|i'll ill il|i've ive|it's its its|\
that's thats dats|let's lets|tomorrow tmr tmrw 2moro tomo tom 2mrw|tonight 2nite tonite 2night tonight|today 2day tday today|\
night nite nyt nite|good gd gud gd good|great gr8 grt great|later l8r lata later ltr|late l8 late|wait w8 wait|message msg mesage|\
messages msgs|text txt txt|people ppl pple ppl|before b4 b4 bfore|about abt bout abt|just jus jst juz|love luv lov luv|like lyk like lik|\
time tym time|home hme home hm|work wrk work|working workin wrking|week wk week|weekend wkend weekend|minute min|minutes mins|\
morning mornin morn mrng|really rly realy reali|right rite rite|though tho tho|through thru|from frm frm from|back bk bak back|\
birthday bday b'day|someone sum1 some1 sumone|anyone any1 ne1|everyone every1 evry1|something smth sumthing somethin|nothing nuthin nthing nothin|\
anything nething anythin|never neva nvr nevr|ever eva|very v vry very|much mch much|more mor more|girl gal gurl girl|boy boi|\
friend frnd frend|friends frnds frends|hello helo hey hiya hallo|hi hey hi heya hiya|sorry sry sori soz|school sch skool schl|phone fone fon|\
number no num nmbr|picture pic|pictures pics|probably prob prolly probly|definitely def defo|favorite fav fave|between btwn|without w/o widout|\
maybe mayb maybe|think tink thk think|thinking thinkin|thing thg thing|things thngs things|one 1 one|two 2|at @ at|hours hrs|hour hr|\
year yr|years yrs|month mth|months mths|yes yea yup ya yep yeah|yeah ya yea yeh|no nah nope no|always alwys always|still stil still|\
happy hapy happy|little lil|cool kewl cool|hate h8|mate m8|anyway neway anyways|any ny any|meet meet mt|meeting mtg meetin|sleep slp sleep|\
of f of of|my ma my my|me mi me me|was ws was|were wer|been bin been|come cum come|coming comin|doing doin|going goin|having havin|\
getting gettin|watching watchin|talking talkin|trying tryin|looking lookin|did did|tell tel tell|call cal call|help hlp help|\
make mk make|take tk take|want wan wnt want|need nd need|also als also|already alr alrdy already|again agn again|after aft aftr after|\
first 1st|second 2nd|some sum some|dinner dinna dinner|around ard arnd around|should shd|problem prob|information info|address add addy|\
college col colg|class cls class|miss mis miss|which wich which|might mite|bit bit|best bst|only oni only|not nt not|now nw now|all al all|\
out out|our r our|give giv|giving givin|leave leav|every evry|everything evrything everythin|believe bliv|feel fel feel|enough enuf|\
until til till|guess gues|guys guyz|cause cos|can cn can|say sy say|and%then n%den|i i|day dy day|take%care tc|well wel well|way wy way";

/// Possible ends of a message.
const ENDINGS: [&str; 24] = [
    "...", "..", "!!", "!", "??", " :)", " :-)", " ;)", " :(", " :D", " lol", " haha", " x", " xx",
    " xxx", " ok?", " k?", " hehe", "...:)", " u?", " lol.", " Haha...", " =)", "!!!",
];

/// Small and fast: any sequence will do.
struct Chance(u64);

impl Chance {
    fn roll(&mut self) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 24) as usize
    }

    /// True so often in a hundred.
    fn percent(&mut self, chance: usize) -> bool {
        self.roll() % 100 < chance
    }

    fn choose<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.roll() % all.len()]
    }
}

/// Writes over all messages, in the same way every time.
pub(crate) fn shorthand(messages: &[String]) -> Vec<String> {
    let words = WORDS.split('|').filter_map(|entry| {
        let (word, short) = entry.split_once(' ')?;
        Some((word.replace('%', " "), short.split(' ').collect()))
    });
    let words = words.collect();
    let mut dice = Chance(0x2545_f491_4f6c_dd1d);
    let mut write = |message: &String| Writer::new(&words, &mut dice).write(message);
    messages.iter().map(&mut write).collect()
}

/// How each word may be shortened.
type Words = std::collections::HashMap<String, Vec<&'static str>>;

/// The writer of a message: all habits are chances in a hundred.
struct Writer<'a> {
    words: &'a Words,
    dice: &'a mut Chance,
    /// Shortens a word.
    short: usize,
    /// Leaves vowels out of other words, or an end.
    clipped: usize,
    /// Writes dots between sentences, and no space behind them.
    dots: usize,
    small: bool,
    capitals: bool,
}

impl<'a> Writer<'a> {
    fn new(words: &'a Words, dice: &'a mut Chance) -> Self {
        let short = *dice.choose(&[25, 50, 70, 90]);
        let clipped = *dice.choose(&[0, 0, 3, 10]);
        let dots = *dice.choose(&[0, 10, 40, 80]);
        let (small, capitals) = (dice.percent(45), dice.percent(4));
        Self {
            words,
            dice,
            short,
            clipped,
            dots,
            small,
            capitals,
        }
    }

    fn write(&mut self, message: &str) -> String {
        let mut text = message.to_owned();
        for (long, short) in PHRASES {
            if text.to_ascii_lowercase().contains(long) && self.dice.percent(self.short) {
                let short: Vec<&str> = short.split(' ').collect();
                text = replace(&text, long, &self.dice.choose(&short).replace('%', " "));
            }
        }
        let mut out = String::with_capacity(text.len());
        for word in text.split(' ') {
            self.word(word, &mut out);
        }
        let mut out = out.trim_end().to_owned();
        if self.dice.percent(25) {
            let end = out.trim_end_matches(['.', '!', '?']).len();
            out.truncate(end);
            out += self.dice.choose::<&str>(&ENDINGS);
        }
        match (self.small, self.capitals) {
            (_, true) => out.to_ascii_uppercase(),
            (true, _) => out.to_ascii_lowercase(),
            _ => out,
        }
    }

    /// Writes a word with the marks around it, and what divides it from the next.
    fn word(&mut self, word: &str, out: &mut String) {
        let letters = |c: char| c.is_ascii_alphanumeric() || c == '\'';
        let core = word.trim_matches(|c| !letters(c));
        let Some((before, after)) = word.split_once(core).filter(|_| !core.is_empty()) else {
            out.push_str(word);
            out.push(' ');
            return;
        };
        out.push_str(before);
        out.push_str(&self.core(core));
        if !after.starts_with(['.', ',', '!', '?']) || !self.dice.percent(self.dots) {
            out.push_str(after);
            out.push(' ');
            return;
        }
        let marks: &[&str] = match after {
            "." => &["..", "...", ".", ".. ", "... ", "...", "! "],
            "," => &[",", "..", " ", "... ", ","],
            "?" => &["?", "? ", "?? ", "??"],
            _ => &["!", "!! ", "!!! ", "!! "],
        };
        out.push_str(self.dice.choose::<&str>(marks));
    }

    /// A word by itself.
    fn core(&mut self, word: &str) -> String {
        let small = word.to_ascii_lowercase();
        if let Some(shorter) = self.words.get(&small) {
            if self.dice.percent(self.short) {
                let shorter = self.dice.choose(shorter).replace('%', " ");
                let capital = word.starts_with(|c: char| c.is_ascii_uppercase());
                return match capital && small != "i" {
                    true => capitalised(&shorter),
                    false => shorter,
                };
            }
            return word.to_owned();
        }
        let mut word = word.to_owned();
        if self.dice.percent(self.short) {
            word = word.replace('\'', "");
        }
        if word.len() > 4 && word.ends_with("ing") && self.dice.percent(self.short / 3) {
            word.pop();
        }
        if word.len() > 3 && self.dice.percent(self.clipped) {
            word = self.clip(&word);
        }
        word
    }

    /// Leaves out vowels inside a word.
    fn clip(&mut self, word: &str) -> String {
        let last = word.len() - 1;
        let mut kept = |(at, c): &(usize, char)| {
            *at == 0 || *at == last || !"aeiou".contains(*c) || self.dice.percent(30)
        };
        let letters = word.char_indices().filter(&mut kept);
        letters.map(|(_, c)| c).collect()
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().map(|c| c.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

/// Replaces whole words, in any case.
fn replace(text: &str, long: &str, short: &str) -> String {
    let small = text.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in small.match_indices(long) {
        let end = at + long.len();
        let letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '\'');
        if !letter(small[..at].chars().next_back()) && !letter(small[end..].chars().next()) {
            out.push_str(&text[done..at]);
            let capital = text[at..].starts_with(|c: char| c.is_ascii_uppercase());
            out.push_str(&if capital {
                capitalised(short)
            } else {
                short.to_owned()
            });
            done = end;
        }
    }
    out + &text[done..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_short_in_many_ways_but_always_the_same_ones() {
        let message =
            "Are you coming tonight? I don't know what you are doing, because nobody told me.";
        let many = vec![message.to_owned(); 200];
        let written = shorthand(&many);
        assert_eq!(written, shorthand(&many));
        let with = |part: &str| written.iter().filter(|text| text.contains(part)).count();
        for part in [
            " u ", "2nite", "tonight", "idk", "dunno", "cos", "because", "...",
        ] {
            assert!((3..190).contains(&with(part)), "{part}: {}", with(part));
        }
        assert!(written.iter().all(|text| text.len() <= message.len() + 20));
    }

    #[test]
    fn only_whole_words_are_replaced() {
        assert_eq!(
            replace("See you, foresee you", "see you", "c u"),
            "C u, foresee you"
        );
        assert_eq!(capitalised(""), "");
    }
}
